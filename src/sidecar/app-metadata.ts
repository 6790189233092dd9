import type { MetadataAppConnection } from "../blocks/control/metadata.ts";
import { formatGoDuration } from "../kit/duration.ts";
import type { SidecarOptions } from "./options.ts";

/** The app connection as `GET /v1.0/metadata` shows it. */
export function appConnectionMetadata(options: SidecarOptions): MetadataAppConnection {
  const connection = {
    port: options.appPort ?? 0,
    protocol: options.appProtocol,
    channelAddress: options.appChannelAddress,
    maxConcurrency: Math.max(options.appMaxConcurrency, 0),
  };
  if (!options.appHealth.enabled) {
    return connection;
  }
  const { path, probeIntervalMs, probeTimeoutMs, threshold } = options.appHealth;
  const isGrpc = options.appProtocol === "grpc" || options.appProtocol === "grpcs";
  return {
    ...connection,
    health: {
      ...(isGrpc ? {} : { path }),
      probeInterval: formatGoDuration(probeIntervalMs),
      probeTimeout: formatGoDuration(probeTimeoutMs),
      threshold,
    },
  };
}

import type { SidecarOptions } from "./options.ts";

const MIB = 1024 * 1024;

/**
 * daprd's defaults for everything but the app id, with all doors closed and loopback for those that are opened: the base
 * for sidecars that no command line describes.
 */
export function defaultOptions(appId: string): SidecarOptions {
  return {
    appId,
    namespace: "",
    appPort: undefined,
    appProtocol: "http",
    appChannelAddress: "127.0.0.1",
    appMaxConcurrency: -1,
    httpPort: undefined,
    grpcPort: undefined,
    internalGrpcPort: undefined,
    publicPort: undefined,
    listenAddresses: ["127.0.0.1"],
    internalListenAddress: "127.0.0.1",
    publicListenAddress: "127.0.0.1",
    unixDomainSocket: "",
    resourcesPaths: [],
    configPaths: [],
    hotReload: undefined,
    allowedOrigins: "",
    maxBodyBytes: 4 * MIB,
    readBufferBytes: 4096,
    gracefulShutdownMs: 5000,
    blockShutdownMs: undefined,
    apiLogging: undefined,
    appHealth: { enabled: false, path: "/healthz", probeIntervalMs: 5000, probeTimeoutMs: 500, threshold: 3 },
    bindingDiscoveryTimeoutMs: 3000,
    disableInitEndpoints: [],
    h2cDisabled: false,
    placement: { addresses: [], disseminationTimeoutMs: 30_000 },
    scheduler: { addresses: [], jobStreams: 3 },
    mtls: undefined,
    metrics: { enabled: false, port: 0, listenAddress: "127.0.0.1" },
    apiToken: "",
    appToken: "",
    hostAddress: "",
    logLevel: "info",
  };
}

import { hostAddress } from "./host-address.ts";
import type { SidecarOptions } from "./options.ts";
import type { SidecarDeps } from "./types.ts";

/** What components read of the environment: daprd adds these variables to its own. */
export function componentEnvironment(
  options: SidecarOptions,
  environment: SidecarDeps["environment"],
): SidecarDeps["environment"] {
  return {
    ...environment,
    APP_ID: options.appId,
    APP_PORT: String(options.appPort ?? 0),
    HOST_ADDRESS: hostAddress("", options.hostAddress),
    DAPR_PORT: String(options.internalGrpcPort),
    DAPR_GRPC_PORT: String(options.grpcPort),
    DAPR_HTTP_PORT: String(options.httpPort),
    DAPR_METRICS_PORT: String(options.metrics.port),
  };
}

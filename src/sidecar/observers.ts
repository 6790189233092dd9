import type { GrpcDoorObserver } from "../api/grpc/door.ts";
import type { HttpDoorObserver } from "../api/http/door.ts";
import { ApiLog } from "../telemetry/api-log.ts";
import type { Configuration } from "../resources/configuration.ts";
import type { RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import type { AssemblyPlan } from "./plan.ts";
import type { SidecarDeps } from "./types.ts";

/** What the HTTP door's exchanges leave behind: server metrics, error codes and, where it is on, the API log. */
export function httpObserver(
  metrics: RuntimeMetrics | undefined,
  apiLog: ApiLog | undefined,
  activity: SidecarDeps["activity"],
): HttpDoorObserver {
  return {
    exchangeDone(exchange, route, path, latencyMs) {
      if (activity !== undefined) {
        activity.calls += 1;
      }
      metrics?.httpServer.record(
        exchange.method,
        exchange.target,
        exchange.responseStatus,
        latencyMs,
        exchange.contentLength ?? 0,
        exchange.responseBytes,
      );
      apiLog?.http({
        method: exchange.method,
        path,
        name: route?.name,
        healthCheck: route?.health === true,
        userAgent: exchange.header("user-agent"),
        code: exchange.responseStatus,
        sizeBytes: exchange.responseBytes,
        durationMs: latencyMs,
      });
    },
    errorAnswered: (error) => metrics?.errorCodes?.record(error),
  };
}

/** The same for a gRPC door. */
export function grpcObserver(
  metrics: RuntimeMetrics | undefined,
  apiLog: ApiLog | undefined,
  activity: SidecarDeps["activity"],
): GrpcDoorObserver {
  return {
    callDone(call) {
      if (activity !== undefined) {
        activity.calls += 1;
      }
      metrics?.grpcServer.record(call.path, call.status.code, call.latencyMs, call.receivedBytes, call.sentBytes);
      apiLog?.grpc({
        method: call.path,
        userAgent: call.userAgent,
        code: call.status.code,
        durationMs: call.latencyMs,
      });
    },
    errorAnswered: (error) => metrics?.errorCodes?.record(error),
  };
}

/** The API log where flag or Configuration ask for one. */
export function createApiLog({ options, deps }: AssemblyPlan, configuration: Configuration): ApiLog | undefined {
  const { apiLogging } = configuration;
  return (options.apiLogging ?? apiLogging.enabled) ? new ApiLog(deps.logger, apiLogging) : undefined;
}

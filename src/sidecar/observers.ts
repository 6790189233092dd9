import type { GrpcDoorObserver } from "../api/grpc/door.ts";
import type { HttpDoorObserver } from "../api/http/door.ts";
import { ApiLog } from "../telemetry/api-log.ts";
import type { GrpcClientObserver } from "../net/grpc/client-observer.ts";
import type { RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import type { Foundation } from "./plan.ts";
import type { SidecarDeps } from "./types.ts";

const APP_PROBE = "/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck";

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

/** The same for the gRPC API: of streams Dapr counts the proxied ones alone, and not their bytes. */
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
      if (call.kind === "unary") {
        metrics?.grpcServer.record(call.path, call.status.code, call.latencyMs, call.receivedBytes, call.sentBytes);
      } else if (call.namesApp) {
        metrics?.grpcServer.recordStream(call.path, call.status.code, call.latencyMs);
      }
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

/** The same for the door of other sidecars, where Dapr counts proxied calls as those of a client. */
export function internalGrpcObserver(
  metrics: RuntimeMetrics | undefined,
  activity: SidecarDeps["activity"],
): GrpcDoorObserver {
  const { callDone, errorAnswered } = grpcObserver(metrics, undefined, activity);
  return {
    callDone(call) {
      if (call.namesApp) {
        metrics?.grpcClient.recordStream(call.path, call.status.code, call.latencyMs);
      }
      callDone(call.namesApp ? { ...call, namesApp: false } : call);
    },
    errorAnswered,
  };
}

/** Calls that the sidecar makes itself, to its app and to other sidecars. */
export function grpcClientObserver(metrics: RuntimeMetrics | undefined): GrpcClientObserver | undefined {
  if (metrics === undefined) {
    return undefined;
  }
  const { grpcClient } = metrics;
  return {
    unaryDone(path, code, latencyMs, sentBytes, receivedBytes) {
      if (path === APP_PROBE) {
        grpcClient.recordProbe(code, latencyMs);
      } else {
        grpcClient.record(path, code, latencyMs, receivedBytes, sentBytes);
      }
    },
  };
}

/** The API log where flag or Configuration ask for one. */
export function createApiLog({ options, deps, configuration }: Foundation): ApiLog | undefined {
  const { apiLogging } = configuration;
  return (options.apiLogging ?? apiLogging.enabled) ? new ApiLog(deps.logger, apiLogging) : undefined;
}

import { GRPC_STATUS } from "../grpc-status.ts";
import type { ErrorEntry } from "../error.ts";

/** Errors of service invocation (pkg/messages/predefined.go of Dapr 1.18.3); the last ones are what a calling sidecar is told. */
export const invocationErrors = {
  directInvoke: entry(500, GRPC_STATUS.INTERNAL, "failed to invoke, id: {id}, err: {reason}"),
  noAppId: entry(
    404,
    GRPC_STATUS.NOT_FOUND,
    "failed getting app id either from the URL path or the header dapr-app-id",
  ),
  malformedResponse: {
    ...entry(500, GRPC_STATUS.INTERNAL, "{reason}"),
    code: "ERR_MALFORMED_RESPONSE",
    category: "common",
  },
  channelNotFound: entry(500, GRPC_STATUS.INTERNAL, "app channel is not initialized"),
  channelInvoke: entry(500, GRPC_STATUS.INTERNAL, "error invoking app channel: {reason}"),
  internalRequest: entry(400, GRPC_STATUS.INVALID_ARGUMENT, "parsing InternalInvokeRequest error: {reason}"),
  accessDenied: entry(
    403,
    GRPC_STATUS.PERMISSION_DENIED,
    "access control policy has denied access to id: {id} operation: {operation} verb: {verb}",
  ),
  invalidMethod: entry(400, GRPC_STATUS.INVALID_ARGUMENT, "invalid method: {reason}"),
  proxy: entry(500, GRPC_STATUS.UNKNOWN, "{reason}"),
  proxyNoTarget: entry(
    500,
    GRPC_STATUS.UNKNOWN,
    "cannot proxy request: missing dapr-callee-app-id or dapr-app-id metadata",
  ),
  proxyNoApp: entry(
    503,
    GRPC_STATUS.UNAVAILABLE,
    "failed to proxy request: no app is behind this sidecar: start it with --app-port and --app-protocol=grpc",
  ),
  proxyOtherApp: entry(
    503,
    GRPC_STATUS.UNAVAILABLE,
    "failed to proxy request: it is for the app {callee}, and this is the sidecar of {appId}",
  ),
  proxyStreamRetries: entry(
    400,
    GRPC_STATUS.FAILED_PRECONDITION,
    "cannot use resiliency policies with retries on streaming RPCs",
  ),
} as const;

function entry<M extends string>(httpStatus: number, grpcStatus: ErrorEntry["grpcStatus"], message: M) {
  return {
    code: "ERR_DIRECT_INVOKE",
    category: "service-invocation",
    httpStatus,
    grpcStatus,
    message,
  } as const satisfies ErrorEntry<M>;
}

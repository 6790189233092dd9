import { GRPC_STATUS } from "../grpc-status.ts";
import type { ErrorEntry } from "../error.ts";

/** Errors that any API may give. */
export const commonErrors = {
  badRequest: entry("ERR_BAD_REQUEST", 400, GRPC_STATUS.INVALID_ARGUMENT, "invalid request: {reason}"),
  unimplemented: entry(
    "ERR_API_UNIMPLEMENTED",
    501,
    GRPC_STATUS.UNIMPLEMENTED,
    "this API is currently not implemented",
  ),
  bodyRead: entry("ERR_BODY_READ", 400, GRPC_STATUS.INVALID_ARGUMENT, "failed to read request body: {reason}"),
  malformedRequest: entry(
    "ERR_MALFORMED_REQUEST",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "failed deserializing HTTP body: {reason}",
  ),
  bodyTooLarge: entry(
    "ERR_BODY_READ",
    413,
    GRPC_STATUS.RESOURCE_EXHAUSTED,
    "failed to read request body: it is larger than the limit of {limit} bytes; raise --max-body-size to accept it",
  ),
  unauthorized: entry("", 401, GRPC_STATUS.UNAUTHENTICATED, "Unauthorized"),
  endpointDenied: entry("", 501, GRPC_STATUS.UNIMPLEMENTED, "Not Implemented"),
  internal: entry("ERR_INTERNAL", 500, GRPC_STATUS.INTERNAL, "{reason}"),
} as const;

function entry<M extends string>(code: string, httpStatus: number, grpcStatus: ErrorEntry["grpcStatus"], message: M) {
  return { code, category: "common", httpStatus, grpcStatus, message } as const satisfies ErrorEntry<M>;
}

import { GrpcError } from "../net/grpc/status.ts";

/** Go's spelling of the gRPC status codes, by number. */
const CODE_NAMES: readonly string[] = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

/** An error as daprd prints it within its own texts, where a gRPC status shows as `rpc error: code = … desc = …`. */
export function goErrorText(error: unknown): string {
  if (GrpcError.is(error)) {
    return `rpc error: code = ${CODE_NAMES[error.code] ?? `Code(${error.code})`} desc = ${error.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}

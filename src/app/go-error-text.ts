import { goStatusName } from "../errors/grpc-status.ts";
import { GrpcError } from "../net/grpc/status.ts";

/** An error as daprd prints it within its own texts, where a gRPC status shows as `rpc error: code = … desc = …`. */
export function goErrorText(error: unknown): string {
  if (GrpcError.is(error)) {
    return `rpc error: code = ${goStatusName(error.code)} desc = ${error.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}

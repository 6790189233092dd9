import { ActorLookupError } from "../../blocks/actors/actor-router.ts";
import { ApiError } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { GrpcError } from "../../net/grpc/status.ts";

/** How Dapr shows a failed call of an actor over gRPC: a status that is the cause passes as it is, the rest unchanged. */
export function actorStatus(error: unknown): unknown {
  const cause: unknown = error instanceof ApiError ? error.cause : undefined;
  if (GrpcError.is(cause)) {
    return cause;
  }
  return cause instanceof ActorLookupError
    ? new GrpcError(GRPC_STATUS.FAILED_PRECONDITION, cause.message, { cause })
    : error;
}

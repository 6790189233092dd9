import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { GrpcError } from "./status.ts";
import type { GrpcStatus } from "./types.ts";

/** The outcome of a call whose handler has finished. */
export const OK: GrpcStatus = Object.freeze({ code: GRPC_STATUS.OK, message: "" });
/** The outcome of a call whose caller has gone. */
export const CANCELLED: GrpcStatus = Object.freeze({ code: GRPC_STATUS.CANCELLED, message: "context canceled" });
/** The outcome of a call whose time is over. */
export const DEADLINE_EXCEEDED: GrpcStatus = Object.freeze({
  code: GRPC_STATUS.DEADLINE_EXCEEDED,
  message: "context deadline exceeded",
});

/** A status as the error that streams and signals fail with. */
export function errorOf(status: GrpcStatus): GrpcError {
  return GrpcError.is(status) ? status : new GrpcError(status.code, status.message, { detailsBin: status.detailsBin });
}

/** The outcome of a call whose response has no encoding. */
export function marshalStatus(error: unknown): GrpcStatus {
  return { code: GRPC_STATUS.INTERNAL, message: `grpc: error while marshaling: ${(error as Error).message}` };
}

/** The outcome of a call with one request whose caller sent none or several. */
export function cardinality(what: string): GrpcStatus {
  return { code: GRPC_STATUS.INTERNAL, message: `cardinality violation: ${what} for non-client-streaming RPC` };
}

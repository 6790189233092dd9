import { GRPC_STATUS } from "../../../errors/grpc-status.ts";
import { GrpcError, grpcStatusOf } from "../../../net/grpc/status.ts";
import type { GrpcStatus } from "../../../net/grpc/types.ts";
import { KeyStoreError } from "../store/key-store.ts";

/** etcd's statuses (api/v3rpc/rpctypes), which its clients compare by text; and what only this server says. */
export const etcdErrors = {
  emptyKey: () => new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "etcdserver: key is not provided"),
  keyNotFound: () => new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "etcdserver: key not found"),
  valueProvided: () => new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "etcdserver: value is provided"),
  leaseProvided: () => new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "etcdserver: lease is provided"),
  tooManyOps: () => new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "etcdserver: too many operations in txn request"),
  duplicateKey: () => new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request"),
  invalidSort: () => new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "etcdserver: invalid sort option"),
  compacted: () => new GrpcError(GRPC_STATUS.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted"),
  futureRevision: () =>
    new GrpcError(GRPC_STATUS.OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision"),
  noSpace: () => new GrpcError(GRPC_STATUS.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded"),
  tooManyRequests: () => new GrpcError(GRPC_STATUS.RESOURCE_EXHAUSTED, "etcdserver: too many requests"),
  leaseNotFound: () => new GrpcError(GRPC_STATUS.NOT_FOUND, "etcdserver: requested lease not found"),
  leaseExists: () => new GrpcError(GRPC_STATUS.FAILED_PRECONDITION, "etcdserver: lease already exists"),
  leaseTtlTooLarge: () => new GrpcError(GRPC_STATUS.OUT_OF_RANGE, "etcdserver: too large lease TTL"),
  notOurs: (what: string) =>
    new GrpcError(GRPC_STATUS.UNIMPLEMENTED, `${what}: the scheduler's key-value store does not have it`),
  invalid: (what: string) => new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, what),
  tooLarge: (what: string) => new GrpcError(GRPC_STATUS.RESOURCE_EXHAUSTED, what),
} as const;

/** The status of whatever a handler threw. */
export function etcdStatusOf(error: unknown): GrpcStatus {
  if (error instanceof KeyStoreError) {
    switch (error.kind) {
      case "no space":
        return etcdErrors.noSpace();
      case "overloaded":
        return etcdErrors.tooManyRequests();
      case "too large":
        return etcdErrors.tooLarge(error.message);
      case "failed":
      case "closed":
        return { code: GRPC_STATUS.UNAVAILABLE, message: error.message };
    }
  }
  return grpcStatusOf(error);
}

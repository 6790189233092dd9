import { GRPC_STATUS } from "../grpc-status.ts";
import type { ErrorEntry } from "../error.ts";

/** Errors of the lock API; bare on both doors. */
export const lockErrors = {
  storesNotConfigured: entry(
    "ERR_LOCK_STORE_NOT_CONFIGURED",
    500,
    GRPC_STATUS.FAILED_PRECONDITION,
    "lock store is not configured",
  ),
  storeNotFound: entry("ERR_LOCK_STORE_NOT_FOUND", 400, GRPC_STATUS.INVALID_ARGUMENT, "lock store {store} not found"),
  resourceEmpty: malformed("ResourceId is empty in lock store {store}"),
  ownerEmpty: malformed("LockOwner is empty in lock store {store}"),
  expiryNotPositive: malformed("ExpiryInSeconds is not positive in lock store {store}"),
  tryLock: entry("ERR_TRY_LOCK", 500, GRPC_STATUS.INTERNAL, "failed to try acquiring lock: {reason}"),
  unlock: entry("ERR_UNLOCK", 500, GRPC_STATUS.INTERNAL, "failed to release lock: {reason}"),
} as const;

function entry<M extends string>(code: string, httpStatus: number, grpcStatus: ErrorEntry["grpcStatus"], message: M) {
  return { code, category: "lock", httpStatus, grpcStatus, message } as const satisfies ErrorEntry<M>;
}

function malformed<M extends string>(message: M) {
  const grpcStatus = GRPC_STATUS.INVALID_ARGUMENT;
  return {
    code: "ERR_MALFORMED_REQUEST",
    category: "common",
    httpStatus: 400,
    grpcStatus,
    message,
  } as const satisfies ErrorEntry<M>;
}

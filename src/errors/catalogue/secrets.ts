import { GRPC_STATUS } from "../grpc-status.ts";
import type { ErrorEntry } from "../error.ts";

/** Errors of the secrets API; bare on both doors. */
export const secretErrors = {
  storesNotConfigured: entry(
    "ERR_SECRET_STORES_NOT_CONFIGURED",
    500,
    GRPC_STATUS.FAILED_PRECONDITION,
    "secret store is not configured",
  ),
  /** 401 is Dapr's. */
  storeNotFound: entry(
    "ERR_SECRET_STORE_NOT_FOUND",
    401,
    GRPC_STATUS.INVALID_ARGUMENT,
    "failed finding secret store with key {store}",
  ),
  permissionDenied: entry(
    "ERR_PERMISSION_DENIED",
    403,
    GRPC_STATUS.PERMISSION_DENIED,
    "access denied by policy to get {quotedSecret} from {quotedStore}",
  ),
  get: entry(
    "ERR_SECRET_GET",
    500,
    GRPC_STATUS.INTERNAL,
    "failed getting secret with key {secret} from secret store {store}: {reason}",
  ),
  bulkGet: entry(
    "ERR_SECRET_GET",
    500,
    GRPC_STATUS.INTERNAL,
    "failed getting secrets from secret store {store}: {reason}",
  ),
} as const;

function entry<M extends string>(code: string, httpStatus: number, grpcStatus: ErrorEntry["grpcStatus"], message: M) {
  return { code, category: "secret", httpStatus, grpcStatus, message } as const satisfies ErrorEntry<M>;
}

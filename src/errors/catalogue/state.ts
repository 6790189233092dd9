import { GRPC_STATUS } from "../grpc-status.ts";
import type { ErrorEntry } from "../error.ts";

/**
 * Errors of the state API (dapr/dapr pkg/api/errors/state.go and pkg/messages/predefined.go at 1.18). Rows with a reason
 * are rich in both doors; the others are bare on HTTP and carry an ErrorInfo with their code on gRPC.
 */
export const stateErrors = {
  storeNotConfigured: entry(
    "ERR_STATE_STORE_NOT_CONFIGURED",
    500,
    GRPC_STATUS.FAILED_PRECONDITION,
    "state store {store} is not configured",
    "DAPR_STATE_NOT_CONFIGURED",
  ),
  storeNotFound: entry(
    "ERR_STATE_STORE_NOT_FOUND",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "state store {store} is not found",
    "DAPR_STATE_NOT_FOUND",
  ),
  keyIllegal: entry(
    "ERR_MALFORMED_REQUEST",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "input key/keyPrefix '{key}' can't contain '||'",
    "DAPR_STATE_ILLEGAL_KEY",
  ),
  transactionsNotSupported: entry(
    "ERR_STATE_STORE_NOT_SUPPORTED",
    500,
    GRPC_STATUS.UNIMPLEMENTED,
    "state store {store} doesn't support transactions",
    "DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED",
  ),
  tooManyOperations: entry(
    "ERR_STATE_STORE_TOO_MANY_TRANSACTIONS",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "the transaction contains {count} operations, which is more than what the state store supports: {limit}",
    "DAPR_STATE_TOO_MANY_TRANSACTIONS",
  ),
  queryNotSupported: entry(
    "ERR_STATE_STORE_NOT_SUPPORTED",
    500,
    GRPC_STATUS.INTERNAL,
    "state store does not support querying",
    "DAPR_STATE_QUERYING_NOT_SUPPORTED",
  ),
  query: entry(
    "ERR_STATE_QUERY",
    500,
    GRPC_STATUS.INTERNAL,
    "state store {store} query failed: {reason}",
    "DAPR_STATE_QUERY_FAILED",
  ),
  /** Ours, as are all rows of the listing: Dapr has none. */
  listNotSupported: entry(
    "ERR_STATE_LIST_NOT_SUPPORTED",
    501,
    GRPC_STATUS.UNIMPLEMENTED,
    "state store {store} cannot list its keys",
    "OUTRIGGER_STATE_LIST_NOT_SUPPORTED",
  ),
  listPageSize: entry(
    "ERR_STATE_LIST_PAGE_SIZE",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "the page size must be a whole number from 1 to {limit}",
  ),
  listToken: entry(
    "ERR_STATE_LIST_TOKEN",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "the token comes from no page of this listing: pass on the token of the page before, with the same prefix",
  ),
  listInclude: entry(
    "ERR_STATE_LIST_INCLUDE",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "include is '{given}', but only 'value' can be included",
  ),
  list: entry("ERR_STATE_LIST", 500, GRPC_STATUS.INTERNAL, "failed to list the keys of state store {store}: {reason}"),
  keyEmpty: entry("ERR_STATE_SAVE", 400, GRPC_STATUS.INVALID_ARGUMENT, "state key cannot be empty"),
  get: entry("ERR_STATE_GET", 500, GRPC_STATUS.INTERNAL, "fail to get {key} from state store {store}: {reason}"),
  bulkGet: entry("ERR_STATE_BULK_GET", 500, GRPC_STATUS.UNKNOWN, "{reason}"),
  save: entry("ERR_STATE_SAVE", 500, GRPC_STATUS.INTERNAL, "failed saving state in state store {store}: {reason}"),
  delete: entry("ERR_STATE_DELETE", 500, GRPC_STATUS.INTERNAL, "failed deleting state with key {key}: {reason}"),
  bulkDelete: entry(
    "ERR_STATE_BULK_DELETE",
    500,
    GRPC_STATUS.INTERNAL,
    "failed deleting state in state store {store}: {reason}",
  ),
  transaction: entry(
    "ERR_STATE_TRANSACTION",
    500,
    GRPC_STATUS.INTERNAL,
    "error while executing state transaction: {reason}",
  ),
  operationNotSupported: entry(
    "ERR_NOT_SUPPORTED_STATE_OPERATION",
    400,
    GRPC_STATUS.UNIMPLEMENTED,
    "operation type {operation} not supported",
  ),
  /** A body of saves is refused in the decoder's bare words; other bodies as `commonErrors.malformedRequest`. */
  malformedSave: {
    code: "ERR_MALFORMED_REQUEST",
    category: "common",
    httpStatus: 400,
    grpcStatus: GRPC_STATUS.INVALID_ARGUMENT,
    message: "{reason}",
  },
  /** A gRPC value that says it is JSON and is not; Dapr gives the bare error, hence Unknown. */
  malformedValue: {
    code: "ERR_MALFORMED_REQUEST",
    category: "common",
    httpStatus: 400,
    grpcStatus: GRPC_STATUS.UNKNOWN,
    message: "{reason}",
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

function entry<M extends string>(
  code: string,
  httpStatus: number,
  grpcStatus: ErrorEntry["grpcStatus"],
  message: M,
): ErrorEntry<M>;
function entry<M extends string>(
  code: string,
  httpStatus: number,
  grpcStatus: ErrorEntry["grpcStatus"],
  message: M,
  reason: string,
): ErrorEntry<M> & { readonly reason: string };
function entry<M extends string>(
  code: string,
  httpStatus: number,
  grpcStatus: ErrorEntry["grpcStatus"],
  message: M,
  reason?: string,
): ErrorEntry<M> {
  return { code, category: "state", httpStatus, grpcStatus, message, ...(reason === undefined ? {} : { reason }) };
}

import { GRPC_STATUS } from "../grpc-status.ts";
import type { ErrorEntry } from "../error.ts";

/** Errors of the configuration API. `keys` is the list as Go prints one: `[a b]`. */
export const configurationErrors = {
  storesNotConfigured: entry(
    "ERR_CONFIGURATION_STORE_NOT_CONFIGURED",
    500,
    GRPC_STATUS.FAILED_PRECONDITION,
    "configuration stores not configured",
  ),
  storeNotFound: entry(
    "ERR_CONFIGURATION_STORE_NOT_FOUND",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "configuration store {store} not found",
  ),
  get: entry(
    "ERR_CONFIGURATION_GET",
    500,
    GRPC_STATUS.INTERNAL,
    "failed to get {keys} from Configuration store {store}: {reason}",
  ),
  subscribe: entry(
    "ERR_CONFIGURATION_SUBSCRIBE",
    500,
    GRPC_STATUS.INVALID_ARGUMENT,
    "failed to subscribe {keys} from Configuration store {store}: {reason}",
  ),
  unsubscribe: entry(
    "ERR_CONFIGURATION_UNSUBSCRIBE",
    500,
    GRPC_STATUS.INTERNAL,
    "failed to unsubscribe to configuration request {id}: {reason}",
  ),
  appChannelMissing: {
    code: "ERR_APP_CHANNEL_NIL",
    category: "common",
    httpStatus: 500,
    grpcStatus: GRPC_STATUS.INTERNAL,
    message: "app channel is not initialized. cannot subscribe to configuration updates",
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

function entry<M extends string>(code: string, httpStatus: number, grpcStatus: ErrorEntry["grpcStatus"], message: M) {
  return { code, category: "configuration", httpStatus, grpcStatus, message } as const satisfies ErrorEntry<M>;
}

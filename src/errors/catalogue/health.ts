import { GRPC_STATUS } from "../grpc-status.ts";
import type { ErrorEntry } from "../error.ts";

/** Answers of the health routes. */
export const healthErrors = {
  notReady: entry("ERR_HEALTH_NOT_READY", "dapr is not ready: {targets}"),
  outboundNotReady: entry("ERR_OUTBOUND_HEALTH_NOT_READY", "dapr outbound is not ready"),
  appIdNotMatch: entry("ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match"),
} as const;

function entry<M extends string>(code: string, message: M) {
  return {
    code,
    category: "health",
    httpStatus: 500,
    grpcStatus: GRPC_STATUS.INTERNAL,
    message,
  } as const satisfies ErrorEntry<M>;
}

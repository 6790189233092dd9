import type { ErrorEntry } from "../error.ts";
import { GRPC_STATUS } from "../grpc-status.ts";

/** Errors of the conversation API; bare on both doors. */
export const conversationErrors = {
  notFound: entry(
    "ERR_CONVERSATION_NOT_FOUND",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "failed finding conversation component {name}",
  ),
  invalidParams: entry(
    "ERR_CONVERSATION_INVALID_PARMS",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "failed conversing with component {name}: invalid params: {reason}",
  ),
  missingInputs: entry(
    "ERR_CONVERSATION_MISSING_INPUTS",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "failed conversing with component {name}: missing inputs in request",
  ),
  invoke: entry(
    "ERR_CONVERSATION_INVOKE",
    500,
    GRPC_STATUS.INTERNAL,
    "failed conversing with component {name}: {reason}",
  ),
} as const;

function entry<M extends string>(code: string, httpStatus: number, grpcStatus: ErrorEntry["grpcStatus"], message: M) {
  return { code, category: "conversation", httpStatus, grpcStatus, message } as const satisfies ErrorEntry<M>;
}

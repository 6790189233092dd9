import { GRPC_STATUS } from "../grpc-status.ts";
import type { ErrorEntry } from "../error.ts";

/** Errors of the bindings API. */
export const bindingErrors = {
  invokeOutput: {
    code: "ERR_INVOKE_OUTPUT_BINDING",
    category: "binding",
    httpStatus: 500,
    grpcStatus: GRPC_STATUS.INTERNAL,
    message: "error invoking output binding {binding}: {reason}",
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

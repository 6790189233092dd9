import { GRPC_STATUS } from "../grpc-status.ts";
import type { ErrorEntry } from "../error.ts";

/** Errors of the cryptography API; bare on both doors. */
export const cryptoErrors = {
  providersNotConfigured: entry("ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED", 500, "crypto providers not configured"),
  providerNotFound: entry("ERR_CRYPTO_PROVIDER_NOT_FOUND", 400, "crypto provider {provider} not found"),
  getKey: entry("ERR_CRYPTO_KEY", 500, "failed to retrieve key {key}: {reason}"),
  operation: entry("ERR_CRYPTO", 500, "failed to perform operation: {reason}"),
  /** What goes wrong within a document, on the HTTP door. */
  document: {
    code: "ERROR",
    category: "common",
    httpStatus: 500,
    grpcStatus: GRPC_STATUS.INTERNAL,
    message: "{reason}",
  } as const satisfies ErrorEntry<string>,
} as const;

function entry<M extends string>(code: string, httpStatus: 400 | 500, message: M) {
  const grpcStatus = httpStatus === 400 ? GRPC_STATUS.INVALID_ARGUMENT : GRPC_STATUS.INTERNAL;
  return { code, category: "crypto", httpStatus, grpcStatus, message } as const satisfies ErrorEntry<M>;
}

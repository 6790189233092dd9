import { ApiError, ERROR_DOMAIN } from "../../errors/error.ts";

/**
 * Gives an error without details the one that names its code, as Dapr's `apierrors.Basic` does on gRPC where the HTTP
 * answer is bare. Everything else passes unchanged.
 */
export function namedError(error: unknown): unknown {
  if (!(error instanceof ApiError) || error.details.length > 0) {
    return error;
  }
  const { entry, facts, grpcStatus } = error;
  const details = [{ kind: "ErrorInfo", reason: entry.code, domain: ERROR_DOMAIN }] as const;
  return new ApiError(entry, error.message, { facts, grpcStatus, cause: error, details });
}

import { ownWords } from "../../blocks/state/errors.ts";
import { RichComponentError } from "../../components/spi/rich-error.ts";
import { stateErrors } from "../../errors/catalogue/state.ts";
import { ApiError, ERROR_DOMAIN, type ErrorEntry } from "../../errors/error.ts";

/** Rows that are bare on HTTP and carry an ErrorInfo naming their code on gRPC (Dapr's `apierrors.Basic`). */
const NAMED: ReadonlySet<ErrorEntry> = new Set<ErrorEntry>([
  stateErrors.keyEmpty,
  stateErrors.get,
  stateErrors.save,
  stateErrors.delete,
  stateErrors.bulkDelete,
  stateErrors.transaction,
  stateErrors.operationNotSupported,
]);

/** A component's own words where it has chosen them; otherwise gives an error of the state API the details that Dapr's gRPC answers have. Other errors pass unchanged. */
export function grpcStateError(error: unknown): unknown {
  if (!(error instanceof ApiError)) {
    return error;
  }
  if (error.cause instanceof RichComponentError && error.entry !== stateErrors.transaction) {
    return ownWords(error.cause);
  }
  if (!NAMED.has(error.entry)) {
    return error;
  }
  const { entry, facts, grpcStatus } = error;
  return new ApiError(entry, error.message, {
    facts,
    grpcStatus,
    cause: error,
    details: [{ kind: "ErrorInfo", reason: entry.code, domain: ERROR_DOMAIN }],
  });
}

import { ComponentError } from "../../components/spi/errors.ts";
import { RichComponentError } from "../../components/spi/rich-error.ts";
import { etagInvalid, etagMismatch } from "../../components/spi/etag-errors.ts";
import { stateErrors } from "../../errors/catalogue/state.ts";
import {
  ApiError,
  type ApiErrorOptions,
  apiError,
  ERROR_DOMAIN,
  type ErrorDetail,
  type ErrorEntry,
} from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";

const STORES_PAGE = {
  url: "https://docs.dapr.io/reference/components-reference/supported-state-stores/",
  description: "Check the list of state stores and the features they support",
};

/** `anyStore`: whether the sidecar has any state store at all. */
export function missingStore(store: string, anyStore: boolean): ApiError {
  const entry = anyStore ? stateErrors.storeNotFound : stateErrors.storeNotConfigured;
  return apiError(entry, { store }, { details: [errorInfo(entry.reason)] });
}

export function illegalKey(store: string, key: string): ApiError {
  const entry = stateErrors.keyIllegal;
  const description = apiError(entry, { key }).message;
  const violation: ErrorDetail = { kind: "BadRequest", fieldViolations: [{ field: key, description }] };
  return apiError(entry, { key }, { details: [violation, resourceInfo(store), errorInfo(entry.reason)] });
}

export function transactionsNotSupported(store: string): ApiError {
  const entry = stateErrors.transactionsNotSupported;
  return apiError(
    entry,
    { store },
    { details: [{ kind: "Help", links: [STORES_PAGE] }, resourceInfo(store), errorInfo(entry.reason)] },
  );
}

export function tooManyOperations(store: string, count: number, limit: number): ApiError {
  const entry = stateErrors.tooManyOperations;
  const metadata = { currentOpsTransaction: String(count), maxOpsPerTransaction: String(limit) };
  return apiError(entry, { count, limit }, { details: [resourceInfo(store), errorInfo(entry.reason, metadata)] });
}

export function queryNotSupported(store: string): ApiError {
  const entry = stateErrors.queryNotSupported;
  return apiError(entry, {}, { details: [resourceInfo(store), errorInfo(entry.reason)] });
}

export function queryFailed(store: string, reason: string, cause?: unknown): ApiError {
  const entry = stateErrors.query;
  return apiError(entry, { store, reason }, { cause, details: [resourceInfo(store), errorInfo(entry.reason)] });
}

export function listingNotSupported(store: string): ApiError {
  const entry = stateErrors.listNotSupported;
  return apiError(entry, { store }, { details: [resourceInfo(store), errorInfo(entry.reason)] });
}

/**
 * What a component threw, as the facts and options of the operation's row. Anything but a ComponentError is a bug and is
 * thrown on.
 */
export function failureOf(error: unknown): { readonly reason: string; readonly options: ApiErrorOptions } {
  if (!(error instanceof ComponentError)) {
    throw error;
  }
  return { reason: error.message, options: { cause: error, ...chosenStatus(error) } };
}

/** As `failureOf`, for operations that have no etags to fail by: only a component that chose its statuses has a say. */
export function readFailureOf(error: unknown): { readonly reason: string; readonly options: ApiErrorOptions } {
  const { reason, options } = failureOf(error);
  return error instanceof RichComponentError ? { reason, options } : { reason, options: { cause: options.cause } };
}

/** The error as its component wants callers to see it, without words of ours. */
export function ownWords({ status, cause }: RichComponentError): ApiError {
  const { tag, httpStatus, grpcStatus, text, reason, domain } = status;
  const entry: ErrorEntry = {
    code: tag,
    category: "pluggable-component",
    httpStatus,
    grpcStatus,
    message: text,
    reason,
  };
  return new ApiError(entry, text, { cause, details: [{ kind: "ErrorInfo", reason, domain }] });
}

function chosenStatus(error: ComponentError): ApiErrorOptions {
  if (error instanceof RichComponentError) {
    const { httpStatus, grpcStatus } = error.status;
    return { httpStatus, grpcStatus };
  }
  return etagStatus(error);
}

function etagStatus(error: ComponentError): ApiErrorOptions {
  switch (error.kind) {
    case "etagMismatch":
      return { httpStatus: 409, grpcStatus: GRPC_STATUS.ABORTED };
    case "etagInvalid":
      return { httpStatus: 400, grpcStatus: GRPC_STATUS.INVALID_ARGUMENT };
    default:
      return {};
  }
}

/**
 * One error for the failed items of a bulk write, in Dapr's rules: texts one per line; when all are about etags, an etag
 * error around them, which is "invalid" if any is. A mixture has the first etag error's status (Dapr's HTTP door then
 * shows only that one's text; we show all).
 */
export function joinFailures(errors: readonly ComponentError[]): ComponentError {
  const text = errors.map((error) => error.message).join("\n");
  const etagErrors = errors.filter((error) => error.kind === "etagMismatch" || error.kind === "etagInvalid");
  if (etagErrors.length === errors.length) {
    return etagErrors.some((error) => error.kind === "etagInvalid") ? etagInvalid(text) : etagMismatch(text);
  }
  const first = etagErrors[0] ?? errors[0];
  return new ComponentError(first?.kind ?? "unavailable", text, { cause: first });
}

function resourceInfo(store: string): ErrorDetail {
  return { kind: "ResourceInfo", resourceType: "state", resourceName: store };
}

function errorInfo(reason: string, metadata?: Readonly<Record<string, string>>): ErrorDetail {
  return { kind: "ErrorInfo", reason, domain: ERROR_DOMAIN, ...(metadata === undefined ? {} : { metadata }) };
}

import { commonErrors } from "../../errors/catalogue/common.ts";
import { stateErrors } from "../../errors/catalogue/state.ts";
import { ApiError, apiError, type ErrorDetail } from "../../errors/error.ts";
import { JsonBodyError } from "./json-decoder.ts";

/** Where Dapr's HTTP answers differ from its gRPC ones for one failure of the state API. Other errors pass unchanged. */
export function httpStateError(error: unknown, appId: string): unknown {
  if (!(error instanceof ApiError)) {
    return error;
  }
  switch (error.entry) {
    case stateErrors.storeNotFound:
    case stateErrors.storeNotConfigured:
      return appId === ""
        ? error
        : withDetails(error, error.message, (detail) =>
            detail.kind === "ErrorInfo" ? { ...detail, metadata: { appID: appId } } : detail,
          );
    case stateErrors.keyIllegal:
      return illegalKey(error);
    case stateErrors.keyEmpty:
      return apiError(stateErrors.malformedSave, { reason: '"key" is a required field' }, { cause: error });
    default:
      return error;
  }
}

/** A body of saves that cannot be decoded, and any other body. */
export function malformedSave(error: unknown): unknown {
  return error instanceof JsonBodyError
    ? apiError(stateErrors.malformedSave, { reason: error.message }, { cause: error })
    : error;
}

export function malformedBody(error: unknown): unknown {
  return error instanceof JsonBodyError
    ? apiError(commonErrors.malformedRequest, { reason: error.message }, { cause: error })
    : error;
}

/** Dapr's HTTP door prints the error it was given into a second one, so the text tells its code too. */
function illegalKey(error: ApiError): ApiError {
  const message = `api error: code = InvalidArgument desc = ${error.message}`;
  return withDetails(error, message, (detail) =>
    detail.kind === "BadRequest"
      ? {
          ...detail,
          fieldViolations: detail.fieldViolations.map((violation) => ({ ...violation, description: message })),
        }
      : detail,
  );
}

function withDetails(error: ApiError, message: string, change: (detail: ErrorDetail) => ErrorDetail): ApiError {
  return new ApiError(error.entry, message, { facts: error.facts, cause: error, details: error.details.map(change) });
}

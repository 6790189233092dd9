import { STATUS_CODES } from "node:http";
import type { ApiError, ErrorDetail } from "../../errors/error.ts";

const TYPE_PREFIX = "type.googleapis.com/google.rpc.";

/**
 * The JSON body of an error: Dapr's legacy shape, or the rich one when the error has details. Without a legacy code the
 * ErrorInfo reason stands in, failing that the status text. Keys of details are in the order Go's maps print.
 */
export function errorBody(error: ApiError): string {
  if (error.details.length === 0) {
    return goJson({
      errorCode: error.entry.code === "" ? STATUS_CODES[error.httpStatus] : error.entry.code,
      message: error.message,
    });
  }
  const reason = error.details.find((detail) => detail.kind === "ErrorInfo")?.reason;
  const fallback = reason === undefined || reason === "" ? STATUS_CODES[error.httpStatus] : reason;
  return goJson({
    errorCode: error.entry.code === "" ? fallback : error.entry.code,
    message: error.message,
    details: error.details.map(detailBody),
  });
}

function detailBody(detail: ErrorDetail): unknown {
  const type = TYPE_PREFIX + detail.kind;
  switch (detail.kind) {
    case "ErrorInfo":
      return { "@type": type, domain: detail.domain, metadata: detail.metadata ?? null, reason: detail.reason };
    case "ResourceInfo":
      return {
        "@type": type,
        description: detail.description ?? "",
        owner: detail.owner ?? "",
        resource_name: detail.resourceName,
        resource_type: detail.resourceType,
      };
    case "BadRequest":
      return { "@type": type, field_violations: detail.fieldViolations };
    case "Help":
      return { "@type": type, links: detail.links };
  }
}

/** JSON as Go's encoder prints it: the characters that matter in HTML are escaped. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

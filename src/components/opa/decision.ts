/** What a policy has decided. `statusCode` undefined: the middleware's default. */
export interface Decision {
  readonly allow: boolean;
  readonly statusCode: number | undefined;
  /** Of the request when it is let through, of the answer when it is refused. */
  readonly headers: readonly (readonly [string, string])[];
}

/**
 * Reads the value of the deciding rule: a boolean, or an object of `allow`, `status_code` and `additional_headers`.
 * @throws Error in Dapr's words for anything else
 */
export function readDecision(results: unknown): Decision {
  if (!Array.isArray(results) || results.length === 0) {
    throw new Error("received no results back from rego policy. Are you setting data.http.allow?");
  }
  const value = (results[0] as { readonly result?: unknown }).result;
  if (typeof value === "boolean") {
    return { allow: value, statusCode: undefined, headers: [] };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error("got an invalid type back from repo policy. Only a boolean or map is valid");
  }
  const {
    allow = false,
    status_code: statusCode,
    additional_headers: headers = {},
  } = value as { readonly allow?: unknown; readonly status_code?: unknown; readonly additional_headers?: unknown };
  if (typeof allow !== "boolean") {
    throw new Error("allow is no boolean");
  }
  if (statusCode !== undefined && !Number.isInteger(statusCode)) {
    throw new Error("status_code is no whole number");
  }
  if (typeof headers !== "object" || headers === null || !Object.values(headers).every(isText)) {
    throw new Error("additional_headers is no object of texts");
  }
  return {
    allow,
    statusCode: statusCode as number | undefined,
    headers: Object.entries(headers as Record<string, string>),
  };
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

import { isTruthy } from "../spi/metadata.ts";
import type { BindingRequest } from "../spi/bindings.ts";
import { ComponentError } from "../spi/errors.ts";

/** What is sent for one request of the binding. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

const METHODS: ReadonlyMap<string, string> = new Map([
  ["create", "POST"],
  ["get", "GET"],
  ["head", "HEAD"],
  ["post", "POST"],
  ["put", "PUT"],
  ["patch", "PATCH"],
  ["delete", "DELETE"],
  ["options", "OPTIONS"],
  ["trace", "TRACE"],
]);

export const HTTP_OPERATIONS: readonly string[] = [...METHODS.keys()];

const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
const JSON_TYPE = "application/json; charset=utf-8";
/** Passed on although their names begin with a small letter. */
const TRACE_HEADERS = ["traceparent", "tracestate", "baggage"];
const NO_BODY = new Uint8Array(0);

/** Builds the request: metadata whose names begin with a capital letter are its headers. @throws ComponentError */
export function outgoingRequest(
  base: string,
  request: BindingRequest,
  token: { readonly header: string; readonly value: string } | undefined,
): OutgoingRequest {
  const { metadata } = request;
  const method = METHODS.get(request.operation.toLowerCase());
  if (method === undefined) {
    throw new ComponentError("unsupported", `invalid operation: ${request.operation}`);
  }
  const headers = new Map<string, string>();
  if (WITH_BODY.has(method)) {
    headers.set("content-type", JSON_TYPE);
  }
  headers.set("accept", JSON_TYPE);
  if (token !== undefined) {
    headers.set(token.header.toLowerCase(), token.value);
  }
  for (const [name, value] of Object.entries(metadata)) {
    if (/^[A-Z]/.test(name)) {
      headers.set(name.toLowerCase(), value);
    }
  }
  for (const name of TRACE_HEADERS) {
    const value = metadata[name] ?? "";
    if (value !== "") {
      headers.set(name, value);
    }
  }
  return {
    method,
    url: urlOf(base, metadata["path"] ?? ""),
    headers: [...headers].flat(),
    body: WITH_BODY.has(method) ? request.data : NO_BODY,
  };
}

/** Whether a status other than 2xx is an error: the request's word counts before the component's. */
export function errorIfNot2xx(request: BindingRequest, configured: boolean): boolean {
  const asked = request.metadata["errorIfNot2XX"] ?? "";
  return asked === "" ? configured : isTruthy(asked);
}

function urlOf(base: string, path: string): URL {
  const text = path === "" ? base : `${base.replace(/\/+$/, "")}/${path.replace(/^\/+/, "")}`;
  try {
    const url = new URL(text);
    if (url.protocol === "http:" || url.protocol === "https:") {
      return url;
    }
  } catch {
    // Told below, with the same words as a protocol that is not ours.
  }
  throw new ComponentError("invalidRequest", `unsupported protocol scheme or invalid URL "${text}"`);
}

import type { TraceContext } from "../../kit/trace-context.ts";
import type { HeaderList } from "./types.ts";

/** First value of a header in a list in any case; `name` must be lower case. */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const one = headers[i] as string;
    if (one.length === name.length && (one === name || one.toLowerCase() === name)) return headers[i + 1];
  }
  return undefined;
}

/** A `content-length` as a number, undefined when there is none or it is malformed. */
export function lengthOf(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Headers that belong to one connection and are never passed on (RFC 9110 section 7.6.1), and what HTTP/2 forbids. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** Whether a header, in lower case, belongs to one connection. */
export function isConnectionHeader(name: string): boolean {
  return CONNECTION_HEADERS.has(name);
}

/** A list as HTTP/2 wants it: names in lower case, without the headers of a connection and without `host`. */
export function headersForH2(headers: HeaderList): string[] {
  const list: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    if (isConnectionHeader(name) || name === "host" || (name === "te" && value !== "trailers")) continue;
    list.push(name, value);
  }
  return list;
}

/** Characters of a `tracestate` that callers are told; longer ones are left out, as in Dapr. */
const TRACESTATE_LENGTH_MAX = 512;

/** All headers of an answer in a list of its own: those that every answer of the exchange has, and its trace. */
export function answerHeaders(
  headers: HeaderList,
  extra: HeaderList | undefined,
  trace: TraceContext | undefined,
): string[] {
  const list = extra === undefined ? headers.slice() : headers.concat(extra);
  if (trace !== undefined && headerValue(list, "traceparent") === undefined) {
    list.push("traceparent", trace.traceparent);
    const { tracestate } = trace;
    if (tracestate !== "" && tracestate.length <= TRACESTATE_LENGTH_MAX) list.push("tracestate", tracestate);
  }
  return list;
}

/** Whether an answer of this status has no body by definition (RFC 9110 section 6.4.1). */
export function isBodyless(status: number): boolean {
  return status === 204 || status === 304 || (status >= 100 && status < 200);
}

/** Several chunks as one piece; one chunk is handed on as it is. */
export function joinChunks(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const first = chunks[0];
  if (first === undefined) return EMPTY_BODY;
  return chunks.length === 1 ? first : Buffer.concat(chunks, length);
}

/** The body of a message without one. */
export const EMPTY_BODY: Uint8Array = new Uint8Array(0);

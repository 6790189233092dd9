import type { HeaderList } from "../net/http/types.ts";

/** Headers of one hop that a proxy must not pass on (RFC 7230 section 6.1, and the list of Dapr 1.18.3). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "te",
  "trailer",
  "proxy-authorization",
  "proxy-authenticate",
]);

/** Whether a header, in lower case, ends at this hop whatever `Connection` says. */
export function isHopByHop(lowerName: string): boolean {
  return HOP_BY_HOP.has(lowerName);
}

/**
 * The further names that the `Connection` header of a list nominates as hop-by-hop, in lower case; undefined when it
 * only says `keep-alive` or `close`, or is absent.
 */
export function nominatedByConnection(headers: HeaderList): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.length !== 10 || name.toLowerCase() !== "connection") {
      continue;
    }
    const value = headers[index + 1] as string;
    if (value === "keep-alive" || value === "close") {
      continue;
    }
    for (const token of value.split(",")) {
      const nominated = token.trim().toLowerCase();
      if (nominated !== "") {
        names ??= new Set();
        names.add(nominated);
      }
    }
  }
  return names;
}

/**
 * Who calls whom, which only sidecars may say: what a client sends under these names reaches no app, not even the client's
 * own.
 */
export const CALLER_HEADERS: ReadonlySet<string> = new Set([
  "dapr-caller-app-id",
  "dapr-caller-namespace",
  "dapr-callee-app-id",
  "destination-app-id",
]);

/** First value of a header; `lowerName` is in lower case, the list's names in any. */
export function headerValue(headers: HeaderList, lowerName: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.length === lowerName.length && (name === lowerName || name.toLowerCase() === lowerName)) {
      return headers[index + 1];
    }
  }
  return undefined;
}

/** The caller asks for server-sent events: the relay must not wait for anything but events. */
export function wantsEventStream(headers: HeaderList): boolean {
  return headerValue(headers, "accept")?.trim().toLowerCase() === "text/event-stream";
}

/** Metadata that gRPC itself owns becomes `dapr-…` where it is shown as an HTTP header. */
export function httpNameOfMetadata(lowerName: string): string {
  if (lowerName.startsWith("grpc-")) {
    return `dapr-${lowerName}`;
  }
  return lowerName.charCodeAt(0) === 0x3a ? `dapr-${lowerName.slice(1)}` : lowerName;
}

/** HTTP headers that become `dapr-<name>` in gRPC metadata (IANA's permanent request headers, as Dapr 1.18.3 lists them). */
const PERMANENT: ReadonlySet<string> = new Set([
  "accept",
  "accept-charset",
  "accept-language",
  "accept-ranges",
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "cache-control",
  "content-type",
  "content-length",
  "cookie",
  "date",
  "expect",
  "from",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-schedule-tag-match",
  "if-unmodified-since",
  "max-forwards",
  "origin",
  "pragma",
  "referer",
  "via",
  "warning",
]);

/** Whether an HTTP header, in lower case, gets the prefix `dapr-` on the gRPC side. */
export function isPermanentHttpHeader(lowerName: string): boolean {
  return PERMANENT.has(lowerName);
}

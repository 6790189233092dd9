import type { OutgoingHttpHeaders } from "node:http2";
import type { HeaderList } from "../../http/types.ts";
import type { RequestHead, ResponseHead } from "../transport.ts";

/** Splits the flat list that `node:http2` hands over into a request's pseudo-headers and the rest (RFC 9113 section 8.3.1). */
export function requestHeadOf(raw: readonly string[]): RequestHead {
  let method = "";
  let path = "";
  let scheme = "";
  let authority = "";
  let first = 0;
  for (; first + 1 < raw.length; first += 2) {
    const name = raw[first] as string;
    if (name.charCodeAt(0) !== 58 /* : */) break;
    const value = raw[first + 1] as string;
    if (name === ":method") method = value;
    else if (name === ":path") path = value;
    else if (name === ":scheme") scheme = value;
    else if (name === ":authority") authority = value;
  }
  return { method, path, scheme, authority, headers: raw.slice(first) };
}

/** The size of a header block as SETTINGS_MAX_HEADER_LIST_SIZE counts it: 32 bytes on top of each field (RFC 9113 section 6.5.2). */
export function headerListBytes(raw: readonly string[]): number {
  let bytes = raw.length * 16;
  for (let i = 0; i < raw.length; i += 1) bytes += (raw[i] as string).length;
  return bytes;
}

/** The same for a response, whose only pseudo-header is `:status` (RFC 9113 section 8.3.2). */
export function responseHeadOf(raw: readonly string[]): ResponseHead {
  let status = 0;
  let first = 0;
  for (; first + 1 < raw.length; first += 2) {
    const name = raw[first] as string;
    if (name.charCodeAt(0) !== 58 /* : */) break;
    if (name === ":status") status = Number(raw[first + 1]);
  }
  return { status, headers: raw.slice(first) };
}

/** Trailers as the map that `sendTrailers` wants; repeated names become arrays. */
export function headerMapOf(list: HeaderList): OutgoingHttpHeaders {
  const map: OutgoingHttpHeaders = Object.create(null) as OutgoingHttpHeaders;
  for (let i = 0; i + 1 < list.length; i += 2) {
    const name = list[i] as string;
    const value = list[i + 1] as string;
    const present = map[name];
    if (present === undefined) map[name] = value;
    else if (Array.isArray(present)) present.push(value);
    else map[name] = [present as string, value];
  }
  return map;
}

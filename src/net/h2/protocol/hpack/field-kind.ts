/**
 * What the name and value of a field mean for the validity of a message (RFC 9113 sections 8.2 and 8.3). It is found once
 * for each entry of the HPACK table, not for each use of it.
 */
export const FIELD = {
  regular: 0,
  method: 1,
  path: 2,
  scheme: 3,
  authority: 4,
  status: 5,
  contentLength: 6,
  /** Not allowed in HTTP/2 at all: bad characters, unknown pseudo-headers, headers about the connection. */
  malformed: 7,
} as const;

const BY_NAME: ReadonlyMap<string, number> = new Map([
  [":method", FIELD.method],
  [":path", FIELD.path],
  [":scheme", FIELD.scheme],
  [":authority", FIELD.authority],
  [":status", FIELD.status],
  ["content-length", FIELD.contentLength],
  ["connection", FIELD.malformed],
  ["keep-alive", FIELD.malformed],
  ["proxy-connection", FIELD.malformed],
  ["transfer-encoding", FIELD.malformed],
  ["upgrade", FIELD.malformed],
]);

/** A token without upper case (RFC 9110 section 5.6.2). */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** No control characters but the tab, and no white space around (RFC 9113 section 8.2.1). */
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;
const DIGITS = /^\d{1,15}$/;

/** A name that may be sent; pseudo-headers are none. */
export function isFieldName(name: string): boolean {
  return NAME.test(name) && BY_NAME.get(name) !== FIELD.malformed;
}

/** @returns one of `FIELD` */
export function fieldKind(name: string, value: string): number {
  if (BAD_VALUE.test(value)) return FIELD.malformed;
  const kind = BY_NAME.get(name);
  if (kind === FIELD.contentLength) return DIGITS.test(value) ? kind : FIELD.malformed;
  if (kind === FIELD.status) return /^[1-9]\d\d$/.test(value) ? kind : FIELD.malformed;
  if (kind !== undefined) return kind;
  if (name === "te") return value === "trailers" ? FIELD.regular : FIELD.malformed;
  return NAME.test(name) ? FIELD.regular : FIELD.malformed;
}

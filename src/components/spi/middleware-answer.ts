import { STATUS_CODES } from "node:http";
import type { HeaderList, HttpResponse } from "../../net/http/types.ts";

/** Where Go, and so Dapr, has other words than Node; undefined: none at all. */
const GO_WORDS: ReadonlyMap<number, string | undefined> = new Map([
  [413, "Request Entity Too Large"],
  [414, "Request URI Too Long"],
  [416, "Requested Range Not Satisfiable"],
  [418, "I'm a teapot"],
  [509, undefined],
]);
const PLAIN_TEXT: HeaderList = ["content-type", "text/plain; charset=utf-8"];
const NO_BYTES = new Uint8Array(0);

/** A middleware's own answer: the status and, as plain text, `message` or the status's usual words; a status without such words becomes 500. */
export function plainAnswer(status: number, message?: string, headers: HeaderList = []): HttpResponse {
  const text = message ?? (GO_WORDS.has(status) ? GO_WORDS.get(status) : STATUS_CODES[status]);
  return text === undefined || status < 200
    ? plainAnswer(500, undefined, headers)
    : { status, headers: [...headers, ...PLAIN_TEXT], body: Buffer.from(text) };
}

/** 302 to `location`. */
export function redirectAnswer(location: string, headers: HeaderList = []): HttpResponse {
  return { status: 302, headers: [...headers, "location", location], body: NO_BYTES };
}

import type { HttpResponse } from "../../net/http/types.ts";
import type { OutgoingRequest } from "./request.ts";

/** Requests that one call may come to, as in Go's HTTP client. */
export const REDIRECTS_MAX = 10;

/** Secrets that a server must not be led to hand to another. */
const SENSITIVE: ReadonlySet<string> = new Set(["authorization", "www-authenticate", "cookie", "cookie2"]);
const NO_BODY = new Uint8Array(0);

/**
 * The request that a response sends the caller on to (RFC 9110 section 15.4); undefined when it is an answer. Statuses
 * 301, 302 and 303 turn everything but HEAD into a GET, 307 and 308 repeat the request.
 * @param tokenHeader lower-case name of the header with the component's own token, which stays with its server
 */
export function redirectOf(
  request: OutgoingRequest,
  response: HttpResponse,
  tokenHeader: string | undefined,
): OutgoingRequest | undefined {
  const location = locationOf(response);
  const url = location === undefined ? null : URL.parse(location, request.url);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return undefined;
  }
  const repeats = response.status === 307 || response.status === 308;
  const method = repeats || request.method === "HEAD" ? request.method : "GET";
  const headers: string[] = [];
  for (let index = 0; index + 1 < request.headers.length; index += 2) {
    const name = request.headers[index] as string;
    const staysBehind = url.origin !== request.url.origin && (SENSITIVE.has(name) || name === tokenHeader);
    const describesBody = !repeats && name === "content-type";
    if (!staysBehind && !describesBody) {
      headers.push(name, request.headers[index + 1] as string);
    }
  }
  return { method, url, headers, body: repeats ? request.body : NO_BODY };
}

function locationOf({ status, headers }: HttpResponse): string | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) {
    return undefined;
  }
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === "location");
  return at === -1 ? undefined : headers[at + 1];
}

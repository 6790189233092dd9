import { cleanPath } from "../../app/clean-path.ts";
import { goQuote } from "../../kit/go-quote.ts";

/** Characters of a method. What the app gets as a request line is far shorter with every HTTP server. */
export const METHOD_CHARACTERS_MAX = 65_536;

const HASH = 0x23;
const QUESTION_MARK = 0x3f;
const DELETE = 0x7f;

/** A method that no app may be called with. */
export class InvalidMethodError extends Error {
  override readonly name = "InvalidMethodError";
}

/**
 * The one form of a decoded method path that both access control and dispatch see: no leading or trailing slash, no empty,
 * `.` or `..` segment, and nothing that a URL parser would cut (pkg/messaging/method of Dapr 1.18.3).
 *
 * @throws InvalidMethodError for `#`, `?`, NUL and other control characters, and for one that is too long
 */
export function canonicalMethod(method: string): string {
  if (method.length > METHOD_CHARACTERS_MAX) {
    throw new InvalidMethodError(
      `method has ${method.length} characters, more than the limit of ${METHOD_CHARACTERS_MAX}`,
    );
  }
  for (let index = 0; index < method.length; index += 1) {
    const code = method.charCodeAt(index);
    if (code === HASH || code === QUESTION_MARK || code < 0x20 || code === DELETE) {
      throw refusal(method, index);
    }
  }
  return cleanPath(method);
}

/**
 * The same for service invocation, where a slash that a gRPC caller has put first stays: an app that speaks gRPC gets the
 * name as it was called, as from daprd.
 *
 * @throws InvalidMethodError
 */
export function canonicalInvocation(method: string): string {
  const canonical = canonicalMethod(method);
  return method.startsWith("/") ? `/${canonical}` : canonical;
}

/** Characters of a method that a message repeats: it travels in a header of the answer. */
const SHOWN_CHARACTERS_MAX = 1024;

function refusal(method: string, position: number): InvalidMethodError {
  const shown = goQuote(method.length > SHOWN_CHARACTERS_MAX ? `${method.slice(0, SHOWN_CHARACTERS_MAX)}…` : method);
  if (method.includes("#") || method.includes("?") || method.includes("\0")) {
    return new InvalidMethodError(`method contains forbidden character: ${shown}`);
  }
  const bytesBefore = Buffer.byteLength(method.slice(0, position));
  return new InvalidMethodError(`method contains control character at position ${bytesBefore}: ${shown}`);
}

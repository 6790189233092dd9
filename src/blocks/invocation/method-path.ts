import { cleanPath } from "../../app/clean-path.ts";
import { goQuote } from "../../kit/go-quote.ts";

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
 * @throws InvalidMethodError for `#`, `?`, NUL and other control characters
 */
export function canonicalMethod(method: string): string {
  for (let index = 0; index < method.length; index += 1) {
    const code = method.charCodeAt(index);
    if (code === HASH || code === QUESTION_MARK || code < 0x20 || code === DELETE) {
      throw refusal(method, index);
    }
  }
  return cleanPath(method);
}

function refusal(method: string, position: number): InvalidMethodError {
  if (method.includes("#") || method.includes("?") || method.includes("\0")) {
    return new InvalidMethodError(`method contains forbidden character: ${goQuote(method)}`);
  }
  const bytesBefore = Buffer.byteLength(method.slice(0, position));
  return new InvalidMethodError(`method contains control character at position ${bytesBefore}: ${goQuote(method)}`);
}

import { goQuote } from "../kit/go-quote.ts";

/** Bytes that stand for themselves in a path of a request line; Go's URL package escapes all others. */
const PLAIN_PATH = /^[A-Za-z0-9\-._~$&+,/:;=@!'()*[\]]*$/;
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2}).{0,2}/s;
const DOT_SEGMENT = /(^|\/)\.{1,2}(\/|$)/;

/**
 * Path and query of the request for a canonical method, so encoded that the app reads back that method. Escapes that the
 * method itself holds (a caller wrote `%252F`) go out as they are, as with daprd, unless the app could read a dot segment
 * out of them: then their percent signs are escaped, so that nothing escapes what access control has seen.
 *
 * @throws Error in the words of Go's URL parser for a percent sign that begins no escape
 */
export function methodTarget(method: string, query: string): string {
  const encoded = PLAIN_PATH.test(method) ? method : encodePath(method);
  const path = encoded.startsWith("/") ? encoded : `/${encoded}`;
  return query === "" ? path : `${path}?${query}`;
}

function encodePath(method: string): string {
  if (!method.includes("%")) {
    return encodeText(method);
  }
  const broken = BROKEN_ESCAPE.exec(method);
  if (broken !== null) {
    throw new Error(`parse ${goQuote(`/${method}`)}: invalid URL escape ${goQuote(broken[0])}`);
  }
  const encoded = encodeText(method);
  return hidesDotSegment(method) ? encoded : encoded.replaceAll("%25", "%");
}

/** Escaped by UTF-8 byte; a lone surrogate, which no UTF-8 input makes, becomes U+FFFD. */
function encodeText(method: string): string {
  return encodeURI(method.toWellFormed())
    .replaceAll("?", "%3F")
    .replaceAll("#", "%23")
    .replaceAll("%5B", "[")
    .replaceAll("%5D", "]");
}

/** Whether an app that decodes once, or again and again, could read a dot segment. */
function hidesDotSegment(method: string): boolean {
  // However many layers there are, all of them go at once: a loop over them would take time by the square of the length.
  const unwrapped = method.replace(/%(?:25)+/g, "%");
  return DOT_SEGMENT.test(
    unwrapped.replace(/%2[eEfF]/g, (escape) => (escape === "%2e" || escape === "%2E" ? "." : "/")),
  );
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Without any of these a text is compact as it is, as nearly all are that programs have written. */
const REMARKABLE = /[\t\n\r <>&\u2028\u2029]/;

/**
 * A JSON text as Go's encoder embeds one: without the space between its tokens, and with what matters in HTML escaped. The
 * text must be valid.
 */
export function compactJson(json: Uint8Array): Uint8Array {
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString();
  if (!REMARKABLE.test(text)) {
    return json;
  }
  let compact = "";
  let from = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString && code === BACKSLASH) {
      at += 1;
    } else if (code === QUOTE) {
      inString = !inString;
    } else if (!inString && (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09)) {
      compact += text.slice(from, at);
      from = at + 1;
    } else if (inString && (code === 0x3c || code === 0x3e || code === 0x26 || code === 0x2028 || code === 0x2029)) {
      compact += `${text.slice(from, at)}\\u${code.toString(16).padStart(4, "0")}`;
      from = at + 1;
    }
  }
  return from === 0 ? json : Buffer.from(compact + text.slice(from));
}

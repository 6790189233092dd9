const UTF8 = new TextEncoder();

/** What Go's `unicode.IsPrint` accepts: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Text that only needs the quotes around it, which is most of what is logged. */
const PLAIN_ASCII = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** A double-quoted Go string literal as `strconv.Quote` and fmt's `%q` write it; Dapr's texts and log lines use it. */
export function goQuote(text: string): string {
  if (PLAIN_ASCII.test(text)) {
    return `"${text}"`;
  }
  let quoted = '"';
  for (const character of text) {
    quoted += SHORT_ESCAPES[character] ?? (PRINTABLE.test(character) ? character : escapeCodePoint(character));
  }
  return `${quoted}"`;
}

function escapeCodePoint(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) {
    return `\\x${code.toString(16).padStart(2, "0")}`;
  }
  if (code >= 0xd800 && code <= 0xdfff) {
    return "\uFFFD";
  }
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

/** The plainer quoting of Go's `time` package: every byte outside printable ASCII becomes `\xNN`. */
export function goTimeQuote(text: string): string {
  let quoted = '"';
  for (const byte of UTF8.encode(text)) {
    if (byte < 0x20 || byte >= 0x80) {
      quoted += `\\x${byte.toString(16).padStart(2, "0")}`;
    } else {
      const character = String.fromCharCode(byte);
      quoted += character === '"' || character === "\\" ? `\\${character}` : character;
    }
  }
  return `${quoted}"`;
}

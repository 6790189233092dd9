const QUOTED = /^"(?:[^"\\\n]|\\(?:[abfnrtv\\"]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}))*"$/;
const ESCAPE = /\\(?:([abfnrtv\\"])|([0-7]{3})|x([0-9a-fA-F]{2})|[uU]([0-9a-fA-F]{4}(?:[0-9a-fA-F]{4})?))/g;
const SHORT: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};

/**
 * A Go string literal as `strconv.Unquote` reads it (single-quoted characters aside), and any other text as it is. Dapr
 * does this to every metadata value, so that a secret which is quoted itself loses its quotes.
 */
export function goUnquoteOrKeep(text: string): string {
  if (text.length >= 2 && text.startsWith("`") && text.endsWith("`") && !text.slice(1, -1).includes("`")) {
    return text.slice(1, -1).replaceAll("\r", "");
  }
  if (!QUOTED.test(text)) {
    return text;
  }
  return text.slice(1, -1).replace(ESCAPE, (_, short?: string, octal?: string, hex?: string, code?: string) => {
    if (short !== undefined) {
      return SHORT[short] ?? short;
    }
    const point = octal === undefined ? Number.parseInt(hex ?? code ?? "", 16) : Number.parseInt(octal, 8);
    return point > 0x10ffff ? "\uFFFD" : String.fromCodePoint(point);
  });
}

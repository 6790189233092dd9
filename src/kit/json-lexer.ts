import { goQuote } from "./go-quote.ts";

const QUOTE = 0x22;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

/** Bytes of a string looked at one by one before words are tried: most names and many values are shorter. */
const SHORT_STRING_BYTES = 12;

/** The text is no JSON. Messages are those of Go's `encoding/json` decoder, which end in Dapr's answers. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
  /** The text stopped before its value was complete. */
  readonly truncated: boolean;

  constructor(message: string, truncated = false) {
    super(message);
    this.truncated = truncated;
  }
}

/** The error for the byte at `at`; `context` is what Go says it was reading there. */
export function invalidAt(bytes: Uint8Array, at: number, context: string): JsonSyntaxError {
  const byte = bytes[at];
  if (byte === undefined) {
    return new JsonSyntaxError(skipSpace(bytes, 0) === bytes.length ? "EOF" : "unexpected EOF", true);
  }
  return new JsonSyntaxError(`invalid character ${quoteByte(byte)} ${context}`);
}

/** Offset of the first byte from `at` that is no space, the length when there is none. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  const end = bytes.length;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte > SPACE || (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) {
      return at;
    }
    at += 1;
  }
  return at;
}

/** Offset behind the string whose opening quote is at `at`. `words` views the same bytes, so that long strings go by four. */
export function skipString(bytes: Uint8Array, words: DataView, at: number): number {
  const wordsStart = at + SHORT_STRING_BYTES;
  const wordsEnd = bytes.length - 4;
  at += 1;
  for (;;) {
    if (at >= wordsStart) {
      while (at <= wordsEnd && isPlainText(words.getInt32(at, true))) {
        at += 4;
      }
    }
    if (at >= bytes.length) {
      throw invalidAt(bytes, at, "");
    }
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      return at + 1;
    }
    if (byte === BACKSLASH) {
      at = skipEscape(bytes, at + 1);
    } else if (byte < SPACE) {
      throw invalidAt(bytes, at, "in string literal");
    } else {
      at += 1;
    }
  }
}

/** Offset behind the number that begins at `at`. */
export function skipNumber(bytes: Uint8Array, at: number): number {
  if (bytes[at] === MINUS) {
    at += 1;
  }
  at = bytes[at] === ZERO ? at + 1 : skipDigits(bytes, at, "in numeric literal");
  if (bytes[at] === DOT) {
    at = skipDigits(bytes, at + 1, "after decimal point in numeric literal");
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    at += 1;
    const sign = bytes[at];
    at = skipDigits(bytes, sign === 0x2b || sign === MINUS ? at + 1 : at, "in exponent of numeric literal");
  }
  return at;
}

/** Offset behind `true`, `false` or `null`, whose first byte at `at` has been seen. */
export function skipLiteral(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  const literal = first === 0x74 ? "true" : first === 0x66 ? "false" : "null";
  for (let index = 1; index < literal.length; index += 1) {
    if (bytes[at + index] !== literal.charCodeAt(index)) {
      throw invalidAt(bytes, at + index, `in literal ${literal} (expecting '${literal.charAt(index)}')`);
    }
  }
  return at + literal.length;
}

/** Whether a number may begin with this byte. */
export function isNumberStart(byte: number | undefined): boolean {
  return byte === MINUS || isDigit(byte);
}

function skipDigits(bytes: Uint8Array, at: number, context: string): number {
  if (!isDigit(bytes[at])) {
    throw invalidAt(bytes, at, context);
  }
  do {
    at += 1;
  } while (isDigit(bytes[at]));
  return at;
}

/** `at` is behind the backslash. */
function skipEscape(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte !== 0x75) {
    if (byte === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(byte))) {
      throw invalidAt(bytes, at, "in string escape code");
    }
    return at + 1;
  }
  for (let digit = 1; digit <= 4; digit += 1) {
    if (!isHexDigit(bytes[at + digit])) {
      throw invalidAt(bytes, at + digit, "in \\u hexadecimal character escape");
    }
  }
  return at + 5;
}

/** No byte of the word is a quote, a backslash or a control character ("Bit Twiddling Hacks": haszero, hasless). */
function isPlainText(word: number): boolean {
  const quotes = word ^ 0x22222222;
  const backslashes = word ^ 0x5c5c5c5c;
  const controls = ((word - 0x20202020) | 0) & ~word;
  return (
    ((controls | (((quotes - 0x01010101) | 0) & ~quotes) | (((backslashes - 0x01010101) | 0) & ~backslashes)) &
      0x80808080) ===
    0
  );
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

function isHexDigit(byte: number | undefined): boolean {
  return byte !== undefined && (isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66));
}

/** Go's `quoteChar`: bytes are shown as the Latin-1 characters of their value. */
function quoteByte(byte: number): string {
  if (byte === QUOTE) {
    return `'"'`;
  }
  return byte === 0x27 ? `'\\''` : `'${goQuote(String.fromCharCode(byte)).slice(1, -1)}'`;
}

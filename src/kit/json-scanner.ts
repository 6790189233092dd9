import {
  invalidAt,
  isNumberStart,
  JsonSyntaxError,
  skipLiteral,
  skipNumber,
  skipSpace,
  skipString,
} from "./json-lexer.ts";

/** Deepest nesting of a document, that of Go's decoder. */
const DEPTH_MAX = 10_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Kinds of JSON values, named as Go's decoder names them in its errors. */
export type JsonKind = "object" | "array" | "string" | "number" | "bool" | "null";

/**
 * Walks JSON text (RFC 8259) without building values, so that a caller can cut out the bytes of the parts it wants and
 * pass them on as they are. It accepts what Go's decoder accepts. Every method throws JsonSyntaxError.
 */
export class JsonScanner {
  readonly #bytes: Buffer;
  readonly #words: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = asBuffer(bytes);
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** What the next value is; only its first byte has been looked at. */
  kind(): JsonKind {
    const byte = this.#next();
    switch (byte) {
      case OPEN_BRACE:
        return "object";
      case OPEN_BRACKET:
        return "array";
      case QUOTE:
        return "string";
      case 0x74:
      case 0x66:
        return "bool";
      case 0x6e:
        return "null";
      default:
        if (isNumberStart(byte)) {
          return "number";
        }
        throw this.#invalid("looking for beginning of value");
    }
  }

  /** Enters the object that `kind` announced; true: a member's name follows. */
  openObject(): boolean {
    return this.#enter(CLOSE_BRACE);
  }

  /** Reads a member's name and the colon behind it. */
  memberName(): string {
    if (this.#next() !== QUOTE) {
      throw this.#invalid("looking for beginning of object key string");
    }
    const name = this.readString();
    if (this.#next() !== COLON) {
      throw this.#invalid("after object key");
    }
    this.#at += 1;
    return name;
  }

  /** After a member's value; true: another name follows, false: the object is closed. */
  nextMember(): boolean {
    return this.#more(CLOSE_BRACE, "after object key:value pair");
  }

  /** Enters the array that `kind` announced; true: an element follows. */
  openArray(): boolean {
    return this.#enter(CLOSE_BRACKET);
  }

  /** After an element; true: another one follows, false: the array is closed. */
  nextElement(): boolean {
    return this.#more(CLOSE_BRACKET, "after array element");
  }

  /** Reads the string that `kind` announced. What is no Unicode becomes U+FFFD, as in Go. */
  readString(): string {
    const start = this.#at;
    this.#at = skipString(this.#bytes, this.#words, start);
    return decodeString(this.#bytes, start, this.#at);
  }

  /** The bytes of the next value without the space around it: a view on the scanned bytes, not a copy. */
  sliceValue(): Uint8Array {
    this.#next();
    const start = this.#at;
    this.#at = skipValue(this.#bytes, this.#words, start);
    return this.#bytes.subarray(start, this.#at);
  }

  /** Steps over the next value, whatever it is, checking every byte of it. */
  skip(): void {
    this.#at = skipValue(this.#bytes, this.#words, this.#at);
  }

  /** Skips space; the byte behind it, undefined at the end (no value begins so, and the error says which end). */
  #next(): number | undefined {
    this.#at = skipSpace(this.#bytes, this.#at);
    return this.#bytes[this.#at];
  }

  #enter(close: number): boolean {
    this.#at += 1;
    if (this.#next() !== close) {
      return true;
    }
    this.#at += 1;
    return false;
  }

  #more(close: number, context: string): boolean {
    const byte = this.#next();
    if (byte !== COMMA && byte !== close) {
      throw this.#invalid(context);
    }
    this.#at += 1;
    return byte === COMMA;
  }

  #invalid(context: string): JsonSyntaxError {
    return invalidAt(this.#bytes, this.#at, context);
  }
}

/** Text of a JSON string literal that has been found valid. */
export function decodeJsonString(literal: Uint8Array): string {
  return decodeString(asBuffer(literal), 0, literal.length);
}

/** Why bytes are not one JSON document, in the words of Go's `json.Unmarshal`; undefined when they are. */
export function jsonFault(bytes: Uint8Array): string | undefined {
  try {
    const end = skipSpace(bytes, skipValue(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0));
    return end === bytes.length ? undefined : invalidAt(bytes, end, "after top-level value").message;
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      return error.truncated ? "unexpected end of JSON input" : error.message;
    }
    throw error;
  }
}

/** Offset behind the value that begins at or after `at`. Containers are kept on a stack of our own: depth is data. */
function skipValue(bytes: Uint8Array, words: DataView, at: number): number {
  const closers: number[] = [];
  for (;;) {
    at = skipSpace(bytes, at);
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, words, at);
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      const close = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
      at = skipSpace(bytes, at + 1);
      if (bytes[at] !== close) {
        closers.push(close);
        if (closers.length > DEPTH_MAX) {
          throw new JsonSyntaxError("exceeded max depth");
        }
        at = close === CLOSE_BRACE ? skipName(bytes, words, at) : at;
        continue;
      }
      at += 1;
    } else {
      at = skipScalar(bytes, at);
    }
    at = closeContainers(bytes, at, closers);
    if (closers.length === 0) {
      return at;
    }
    at = closers.at(-1) === CLOSE_BRACE ? skipName(bytes, words, skipSpace(bytes, at)) : at;
  }
}

/** After a value: closes what ends here and steps over the comma before the next value, if any container is still open. */
function closeContainers(bytes: Uint8Array, at: number, closers: number[]): number {
  while (closers.length > 0) {
    const close = closers[closers.length - 1];
    at = skipSpace(bytes, at);
    const byte = bytes[at];
    if (byte === COMMA) {
      return at + 1;
    }
    if (byte !== close) {
      throw invalidAt(bytes, at, close === CLOSE_BRACE ? "after object key:value pair" : "after array element");
    }
    closers.pop();
    at += 1;
  }
  return at;
}

function skipScalar(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (isNumberStart(byte)) {
    return skipNumber(bytes, at);
  }
  if (byte === 0x74 || byte === 0x66 || byte === 0x6e) {
    return skipLiteral(bytes, at);
  }
  throw invalidAt(bytes, at, "looking for beginning of value");
}

function skipName(bytes: Uint8Array, words: DataView, at: number): number {
  if (bytes[at] !== QUOTE) {
    throw invalidAt(bytes, at, "looking for beginning of object key string");
  }
  at = skipSpace(bytes, skipString(bytes, words, at));
  if (bytes[at] !== COLON) {
    throw invalidAt(bytes, at, "after object key");
  }
  return at + 1;
}

/** `start` is at the opening quote, `end` behind the closing one. */
function decodeString(bytes: Buffer, start: number, end: number): string {
  for (let at = start + 1; at < end; at += 1) {
    if (bytes[at] === BACKSLASH) {
      return (JSON.parse(bytes.toString("utf8", start, end)) as string).toWellFormed();
    }
  }
  return bytes.toString("utf8", start + 1, end - 1);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

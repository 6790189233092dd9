import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** A longer line comes in pieces of this many UTF-16 units. */
export const LINE_CHARACTERS_MAX = 64 * 1024;

const HIGH_SURROGATE_FIRST = 0xd800;
const HIGH_SURROGATE_LAST = 0xdbff;

/**
 * Hands over what a stream carries line by line, without `\n` or `\r\n`. Bytes that are no UTF-8 become U+FFFD; a last
 * line without an end is a line. A stream that breaks ends.
 */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  const splitter = new LineSplitter(onLine);
  stream.on("data", (chunk: Buffer) => splitter.write(chunk));
  stream.once("end", () => splitter.end());
  stream.on("error", () => splitter.end());
}

/** Bytes in pieces of any size to lines. */
export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Buffer): void {
    this.#take(this.#decoder.write(chunk));
  }

  /** Hands over what is left. */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest !== "") {
      const last = this.#rest;
      this.#rest = "";
      this.#line(last);
    }
  }

  #take(text: string): void {
    let from = 0;
    for (let to = text.indexOf("\n"); to !== -1; to = text.indexOf("\n", from)) {
      this.#pieces(this.#rest + text.slice(from, to));
      this.#line(this.#rest);
      this.#rest = "";
      from = to + 1;
    }
    this.#pieces(this.#rest + text.slice(from));
  }

  /** Leaves in `#rest` what fits into one line. */
  #pieces(text: string): void {
    let from = 0;
    while (text.length - from > LINE_CHARACTERS_MAX) {
      const last = text.charCodeAt(from + LINE_CHARACTERS_MAX - 1);
      const whole = last < HIGH_SURROGATE_FIRST || last > HIGH_SURROGATE_LAST;
      const to = from + LINE_CHARACTERS_MAX - (whole ? 0 : 1);
      this.#onLine(text.slice(from, to));
      from = to;
    }
    this.#rest = text.slice(from);
  }

  #line(text: string): void {
    this.#onLine(text.endsWith("\r") ? text.slice(0, -1) : text);
  }
}

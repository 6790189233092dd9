import type { Random } from "../../kit/random.ts";

/** Bytes that are drawn at a time: a call of the generator costs as much as hundreds of ids. */
const POOL_BYTES = 4_096;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** A method of Node's buffers that its types leave out; half the cost of `toString`. */
interface NativeHex {
  hexSlice(start: number, end: number): string;
}

/** Random ids of traces and spans, in hexadecimal digits; never all zero. */
export class SpanIds {
  readonly #random: Random;
  #pool = Buffer.alloc(0);
  #at = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  traceId(): string {
    return this.#next(TRACE_ID_BYTES);
  }

  spanId(): string {
    return this.#next(SPAN_ID_BYTES);
  }

  #next(bytes: number): string {
    if (this.#at + bytes > this.#pool.length) {
      this.#pool = Buffer.from(this.#random.bytes(POOL_BYTES));
      this.#at = 0;
    }
    const at = this.#at;
    this.#at += bytes;
    // One that is all zero names nothing.
    if (this.#pool.readUInt32LE(at) === 0) {
      this.#pool[at] = 1;
    }
    return (this.#pool as unknown as NativeHex).hexSlice(at, at + bytes);
  }
}

import { EventEmitter } from "node:events";

const DATA_ROW = 0x44;
/** A message's kind and its length, which counts itself but not the kind. */
const HEADER_BYTES = 5;

/** One row as it came: the number of values, then each with its length. */
export type RowBytes = Buffer;

/**
 * Stands between a socket and pg's parser: takes the rows out as bytes and lets everything else through in whole messages
 * and in their order. pg reads every value as UTF-8 text, which destroys binary ones, and a result in text depends on
 * what the session's DateStyle, IntervalStyle and bytea_output happen to be.
 */
export class MessageSplitter extends EventEmitter {
  readonly #onRow: (row: RowBytes) => void;
  readonly #messageBytesMax: number;
  #chunks: Buffer[] = [];
  #length = 0;
  /** How many bytes make the next look worthwhile. */
  #wanted = HEADER_BYTES;

  constructor(onRow: (row: RowBytes) => void, messageBytesMax: number) {
    super();
    this.#onRow = onRow;
    this.#messageBytesMax = messageBytesMax;
  }

  /** @throws Error for a message beyond the limit: the connection is of no use after it */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#wanted) {
      return;
    }
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#length);
    const end = this.#split(bytes);
    this.#chunks = end === bytes.length ? [] : [bytes.subarray(end)];
    this.#length = bytes.length - end;
  }

  /** Hands on all whole messages. @returns where the first one that is not whole begins */
  #split(bytes: Buffer): number {
    let passFrom = 0;
    let at = 0;
    this.#wanted = HEADER_BYTES;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = bytes.readUInt32BE(at + 1) + 1;
      if (length < HEADER_BYTES || length > this.#messageBytesMax) {
        throw new Error(`a message of ${length} bytes from the server, the limit is ${this.#messageBytesMax}`);
      }
      if (bytes.length - at < length) {
        this.#wanted = length;
        break;
      }
      if (bytes[at] === DATA_ROW) {
        this.#pass(bytes, passFrom, at);
        this.#onRow(bytes.subarray(at + HEADER_BYTES, at + length));
        passFrom = at + length;
      }
      at += length;
    }
    this.#pass(bytes, passFrom, at);
    return at;
  }

  #pass(bytes: Buffer, from: number, to: number): void {
    if (from < to) {
      this.emit("data", bytes.subarray(from, to));
    }
  }
}

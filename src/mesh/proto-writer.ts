import { isUtf8 } from "node:buffer";

const LENGTH_DELIMITED = 2;
const VARINT = 0;
/** Most bytes that a tag and a length, or a tag and a number, take. */
const FIELD_HEAD_BYTES_MAX = 12;

/** Appends protobuf fields to one buffer that grows; nested messages are written in place. Field numbers are below 16. */
export class ProtoWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacityBytes: number) {
    this.#buffer = Buffer.allocUnsafe(capacityBytes);
  }

  /** What was written; the writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** A number; zero is left out. */
  uint(field: number, value: number): void {
    if (value !== 0) {
      this.#reserve(FIELD_HEAD_BYTES_MAX);
      this.#buffer[this.#length++] = (field << 3) | VARINT;
      this.#varint(value);
    }
  }

  /** Bytes, also when there are none. */
  bytes(field: number, value: Uint8Array): void {
    this.#reserve(FIELD_HEAD_BYTES_MAX + value.byteLength);
    this.#head(field, value.byteLength);
    this.#buffer.set(value, this.#length);
    this.#length += value.byteLength;
  }

  /** Unicode text; an empty one is left out. */
  text(field: number, value: string): void {
    if (value !== "") {
      const mark = this.begin(field, value.length);
      this.#reserve(value.length * 3);
      this.#length += this.#buffer.write(value, this.#length, "utf8");
      this.end(mark);
    }
  }

  /**
   * Text whose characters are a peer's bytes (Node's header values, a raw query): the same bytes go out, or, where they are
   * not UTF-8 and a protobuf string cannot hold them, their Latin-1 reading. An empty one is written.
   */
  rawText(field: number, value: string): void {
    const mark = this.begin(field, value.length);
    this.#reserve(value.length * 3);
    const written = this.#buffer.write(value, this.#length, "latin1");
    const ascii = this.#isAscii(written);
    if (ascii || isUtf8(this.#buffer.subarray(this.#length, this.#length + written))) {
      this.#length += written;
    } else {
      this.#length += this.#buffer.write(value, this.#length, "utf8");
    }
    this.end(mark);
  }

  /** A header name as Go's maps hold it (`X-Custom`), or unchanged where it holds something else than a header name does. */
  headerName(field: number, name: string): void {
    const mark = this.begin(field, name.length);
    this.#reserve(name.length * 3);
    const start = this.#length;
    let upper = true;
    for (let index = 0; index < name.length; index += 1) {
      let code = name.charCodeAt(index);
      if (code <= 0x20 || code >= 0x7f) {
        this.#length = start + this.#buffer.write(name, start, "utf8");
        this.end(mark);
        return;
      }
      if (upper && code >= 0x61 && code <= 0x7a) {
        code -= 0x20;
      } else if (!upper && code >= 0x41 && code <= 0x5a) {
        code += 0x20;
      }
      this.#buffer[this.#length++] = code;
      upper = code === 0x2d;
    }
    this.end(mark);
  }

  /** Opens a nested message; `guessBytes` is its likely size. @returns what `end` takes */
  begin(field: number, guessBytes: number): number {
    this.#reserve(FIELD_HEAD_BYTES_MAX);
    this.#buffer[this.#length++] = (field << 3) | LENGTH_DELIMITED;
    const lengthBytes = varintBytes(guessBytes);
    this.#length += lengthBytes;
    return this.#length * 8 + lengthBytes;
  }

  /** Closes what `begin` opened, moving the content where the guess was wrong. */
  end(mark: number): void {
    const guessed = mark % 8;
    const start = (mark - guessed) / 8;
    const size = this.#length - start;
    const needed = varintBytes(size);
    if (needed !== guessed) {
      this.#reserve(needed);
      this.#buffer.copyWithin(start - guessed + needed, start, this.#length);
    }
    this.#length = start - guessed;
    this.#varint(size);
    this.#length += size;
  }

  #head(field: number, size: number): void {
    this.#buffer[this.#length++] = (field << 3) | LENGTH_DELIMITED;
    this.#varint(size);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  #isAscii(written: number): boolean {
    for (let index = this.#length; index < this.#length + written; index += 1) {
      if ((this.#buffer[index] as number) > 0x7f) {
        return false;
      }
    }
    return true;
  }

  #reserve(moreBytes: number): void {
    const needed = this.#length + moreBytes;
    if (needed > this.#buffer.byteLength) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.byteLength * 2));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    bytes += 1;
  }
  return bytes;
}

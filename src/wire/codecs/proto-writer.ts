import { isUtf8 } from "node:buffer";

const LENGTH_DELIMITED = 2;
const VARINT = 0;
const FIXED64 = 1;
/** Most bytes that a tag and a length, or a tag and a number, take. */
const FIELD_HEAD_BYTES_MAX = 12;
/** Text up to so many characters is written here: a call of the native encoder costs more. */
const SHORT_TEXT_LENGTH = 24;

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Methods of Node's buffers that its types leave out; half the cost of `write` with an encoding. */
interface NativeText {
  latin1Write(text: string, at: number): number;
  utf8Write(text: string, at: number): number;
  hexWrite(digits: string, at: number): number;
}

/** Appends protobuf fields to one buffer that grows; nested messages are written in place. Field numbers are below 16. */
export class ProtoWriter {
  private buffer: Buffer;
  private length = 0;

  constructor(capacityBytes: number) {
    this.buffer = Buffer.allocUnsafe(capacityBytes);
  }

  /** What was written; the writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.length === this.buffer.length ? this.buffer : this.buffer.subarray(0, this.length);
  }

  /** A number that is not negative; zero is left out. */
  uint(field: number, value: number): void {
    if (value === 0) return;
    this.reserve(FIELD_HEAD_BYTES_MAX);
    this.buffer[this.length++] = (field << 3) | VARINT;
    this.varint(value);
  }

  /** A number of 64 bits, a negative one in two's complement; zero is left out. */
  int64(field: number, value: bigint): void {
    if (value >= 0n && value <= MAX_SAFE) {
      this.uint(field, Number(value));
      return;
    }
    this.reserve(FIELD_HEAD_BYTES_MAX);
    this.buffer[this.length++] = (field << 3) | VARINT;
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 0x80n; rest >>= 7n) this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80;
    this.buffer[this.length++] = Number(rest);
  }

  /** A number that is zero, where that has a meaning. */
  zero(field: number): void {
    this.reserve(FIELD_HEAD_BYTES_MAX);
    this.buffer[this.length++] = (field << 3) | VARINT;
    this.buffer[this.length++] = 0;
  }

  /** An enum or int32; zero is left out. */
  int32(field: number, value: number): void {
    if (value >= 0) {
      this.uint(field, value);
      return;
    }
    this.reserve(FIELD_HEAD_BYTES_MAX);
    this.buffer[this.length++] = (field << 3) | VARINT;
    this.negative(value);
  }

  /** An enum or int32 in a packed list, which has no tags. */
  element(value: number): void {
    this.reserve(FIELD_HEAD_BYTES_MAX);
    if (value >= 0) this.varint(value);
    else this.negative(value);
  }

  /** A double, also zero. */
  double(field: number, value: number): void {
    this.reserve(FIELD_HEAD_BYTES_MAX);
    this.buffer[this.length++] = (field << 3) | FIXED64;
    this.length = this.buffer.writeDoubleLE(value, this.length);
  }

  /** A `fixed64` of two halves of 32 bits, also zero. */
  fixed64(field: number, high: number, low: number): void {
    this.reserve(FIELD_HEAD_BYTES_MAX);
    this.buffer[this.length++] = (field << 3) | FIXED64;
    this.length = this.buffer.writeUInt32LE(low, this.length);
    this.length = this.buffer.writeUInt32LE(high, this.length);
  }

  /** Fewer than 64 bytes that are given as hexadecimal digits. */
  hexOctets(field: number, digits: string): void {
    const bytes = digits.length / 2;
    this.reserve(FIELD_HEAD_BYTES_MAX + bytes);
    this.head(field, bytes);
    this.length += (this.buffer as unknown as NativeText).hexWrite(digits, this.length);
  }

  /** Bytes, also when there are none. */
  octets(field: number, value: Uint8Array): void {
    this.reserve(FIELD_HEAD_BYTES_MAX + value.byteLength);
    this.head(field, value.byteLength);
    this.buffer.set(value, this.length);
    this.length += value.byteLength;
  }

  /** Unicode text; an empty one is left out. */
  text(field: number, value: string): void {
    if (value !== "") this.anyText(field, value);
  }

  /** Unicode text, also an empty one. What is no text (half a surrogate pair) becomes U+FFFD. */
  anyText(field: number, value: string): void {
    const { length } = value;
    this.reserve(FIELD_HEAD_BYTES_MAX + length * 3);
    if (length <= SHORT_TEXT_LENGTH && this.shortAscii(field, value)) return;
    const mark = this.begin(field, length);
    this.length += (this.buffer as unknown as NativeText).utf8Write(value, this.length);
    this.end(mark);
  }

  /**
   * Text whose characters are a peer's bytes (Node's header values, a raw query): the same bytes go out, or, where they are
   * not UTF-8 and a protobuf string cannot hold them, their Latin-1 reading. An empty one is written.
   */
  rawText(field: number, value: string): void {
    const { length } = value;
    this.reserve(FIELD_HEAD_BYTES_MAX + length * 3);
    if (length <= SHORT_TEXT_LENGTH && this.shortAscii(field, value)) return;
    const mark = this.begin(field, length);
    const { buffer } = this;
    const written = (buffer as unknown as NativeText).latin1Write(value, this.length);
    if (this.isAscii(written) || isUtf8(buffer.subarray(this.length, this.length + written))) this.length += written;
    else this.length += (buffer as unknown as NativeText).utf8Write(value, this.length);
    this.end(mark);
  }

  /** A header name as Go's maps hold it (`X-Custom`), or unchanged where it holds something else than a header name does. */
  headerName(field: number, name: string): void {
    const mark = this.begin(field, name.length);
    this.reserve(name.length * 3);
    const start = this.length;
    let upper = true;
    for (let index = 0; index < name.length; index += 1) {
      let code = name.charCodeAt(index);
      if (code <= 0x20 || code >= 0x7f) {
        this.length = start + this.buffer.write(name, start, "utf8");
        this.end(mark);
        return;
      }
      if (upper && code >= 0x61 && code <= 0x7a) code -= 0x20;
      else if (!upper && code >= 0x41 && code <= 0x5a) code += 0x20;
      this.buffer[this.length++] = code;
      upper = code === 0x2d;
    }
    this.end(mark);
  }

  /** Opens a nested message; `guessBytes` is its likely size. @returns what `end` takes */
  begin(field: number, guessBytes: number): number {
    this.reserve(FIELD_HEAD_BYTES_MAX);
    this.buffer[this.length++] = (field << 3) | LENGTH_DELIMITED;
    const lengthBytes = varintBytes(guessBytes);
    this.length += lengthBytes;
    return this.length * 8 + lengthBytes;
  }

  /** Closes what `begin` opened, moving the content where the guess was wrong. */
  end(mark: number): void {
    const guessed = mark % 8;
    const start = (mark - guessed) / 8;
    const size = this.length - start;
    if (guessed === 1 && size < 0x80) {
      this.buffer[start - 1] = size;
      return;
    }
    const needed = varintBytes(size);
    if (needed !== guessed) {
      this.reserve(needed);
      this.buffer.copyWithin(start - guessed + needed, start, this.length);
    }
    this.length = start - guessed;
    this.varint(size);
    this.length += size;
  }

  /** The whole field where its text is ASCII. There is room for it. */
  private shortAscii(field: number, value: string): boolean {
    const { buffer } = this;
    const { length } = value;
    let at = this.length;
    buffer[at++] = (field << 3) | LENGTH_DELIMITED;
    buffer[at++] = length;
    for (let i = 0; i < length; i += 1) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[at++] = code;
    }
    this.length = at;
    return true;
  }

  private head(field: number, size: number): void {
    this.buffer[this.length++] = (field << 3) | LENGTH_DELIMITED;
    this.varint(size);
  }

  private varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.length++] = rest;
  }

  private negative(value: number): void {
    let rest = value | 0;
    for (let count = 0; count < 9; count += 1) {
      this.buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest >>= 7;
    }
    this.buffer[this.length++] = 1;
  }

  private isAscii(written: number): boolean {
    for (let index = this.length; index < this.length + written; index += 1) {
      if ((this.buffer[index] as number) > 0x7f) return false;
    }
    return true;
  }

  private reserve(moreBytes: number): void {
    const needed = this.length + moreBytes;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

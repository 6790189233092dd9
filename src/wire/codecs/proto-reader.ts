import { isUtf8 } from "node:buffer";

/** Groups within groups that are passed over; Dapr's messages have none. */
const GROUP_DEPTH_MAX = 100;
/** Up to so many bytes, text is put together here: a call of the native decoder costs more. */
const SHORT_TEXT_BYTES = 8;

/** Methods of Node's buffers that its types leave out; they work on any byte array. */
interface NativeText {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  utf8Slice(this: Uint8Array, start: number, end: number): string;
  readDoubleLE(this: Uint8Array, at: number): number;
}

const { latin1Slice, utf8Slice, readDoubleLE } = Buffer.prototype as unknown as NativeText;

/**
 * Reads protobuf fields from a message's bytes; what it gives are views, not copies. Callers switch on whole tags (`number
 * << 3 | wire type`) and skip what they do not know, so that a field of another wire type than its own is an unknown
 * one, as in Go. Everything it throws is an Error with the text of what is broken.
 */
export class ProtoReader {
  private readonly bytes: Uint8Array;
  private at = 0;
  /** Of the message that is being read: nested ones have ends of their own. */
  private end: number;
  private last = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  /** Nothing is left of the message, or of the packed list, that is being read. */
  get isAtEnd(): boolean {
    return this.at === this.end;
  }

  /** The next field's tag, 0 at the end of the message. */
  tag(): number {
    if (this.at === this.end) return 0;
    const first = this.bytes[this.at] as number;
    let tag = first;
    if (first < 0x80) this.at += 1;
    else {
      tag = this.varint();
      if (tag > 0xffffffff) throw new Error("invalid field number");
    }
    if (tag < 8) throw new Error("invalid field number");
    this.last = tag;
    return tag;
  }

  /** A number, exact to 2^53; larger ones lose their lower bits. */
  uint(): number {
    return this.varint();
  }

  /** A number of 64 bits that has no sign. */
  uint64(): bigint {
    const start = this.at;
    const value = this.varint();
    if (value <= Number.MAX_SAFE_INTEGER) return BigInt(value);
    let exact = 0n;
    for (let at = this.at - 1; at >= start; at -= 1) exact = (exact << 7n) | BigInt((this.bytes[at] as number) & 0x7f);
    return BigInt.asUintN(64, exact);
  }

  /** A number of 64 bits in two's complement. */
  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  /** A boolean: any number but zero is true. */
  bool(): boolean {
    return this.varint() !== 0;
  }

  /** An enum or int32: the lowest 32 bits, as a signed number. */
  int32(): number {
    const { bytes } = this;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) throw unexpectedEnd();
      const byte = bytes[this.at] as number;
      this.at += 1;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Error("variable length integer overflow");
  }

  double(): number {
    const { at } = this;
    this.advance(8);
    return readDoubleLE.call(this.bytes, at);
  }

  /** A view of the field's bytes. */
  octets(): Uint8Array {
    const start = this.delimited();
    return this.bytes.subarray(start, this.at);
  }

  /** Unicode text. @throws Error when it is not UTF-8 */
  text(): string {
    const start = this.delimited();
    const { bytes, at } = this;
    const length = at - start;
    if (length <= SHORT_TEXT_BYTES) {
      let text = "";
      let ascii = true;
      for (let i = start; i < at; i += 1) {
        const byte = bytes[i] as number;
        if (byte > 0x7f) {
          ascii = false;
          break;
        }
        text += String.fromCharCode(byte);
      }
      if (ascii) return text;
    } else {
      let i = start;
      while (i < at && (bytes[i] as number) < 0x80) i += 1;
      if (i === at) return latin1Slice.call(bytes, start, at);
    }
    if (!isUtf8(bytes.subarray(start, at))) throw new Error("string field contains invalid UTF-8");
    return utf8Slice.call(bytes, start, at);
  }

  /** Bytes as characters, which is how Node holds header values. */
  rawText(): string {
    const start = this.delimited();
    return latin1Slice.call(this.bytes, start, this.at);
  }

  /** Begins the nested message of this field. @returns what `leave` takes */
  enter(): number {
    const start = this.delimited();
    const outer = this.end;
    this.end = this.at;
    this.at = start;
    return outer;
  }

  /** Goes on behind the nested message, which has been read to its end. */
  leave(outer: number): void {
    this.end = outer;
  }

  /** Passes over the current field. */
  skip(): void {
    this.skipField(this.last, 0);
  }

  private skipField(tag: number, depth: number): void {
    switch (tag & 7) {
      case 0:
        this.varint();
        return;
      case 1:
        this.advance(8);
        return;
      case 2:
        this.delimited();
        return;
      case 3:
        this.skipGroup(tag, depth);
        return;
      case 5:
        this.advance(4);
        return;
      default:
        throw new Error(`cannot parse reserved wire type ${tag & 7}`);
    }
  }

  private skipGroup(tag: number, depth: number): void {
    if (depth >= GROUP_DEPTH_MAX) throw new Error("exceeded max recursion depth");
    for (;;) {
      const inner = this.tag();
      if (inner === 0) throw unexpectedEnd();
      if ((inner & 7) === 4) {
        if (inner >>> 3 !== tag >>> 3) throw new Error("mismatching end group marker");
        return;
      }
      this.skipField(inner, depth + 1);
    }
  }

  /** Passes over a length and as many bytes. @returns where those bytes begin */
  private delimited(): number {
    const first = this.at < this.end ? (this.bytes[this.at] as number) : 0x80;
    let length = first;
    if (first < 0x80) this.at += 1;
    else length = this.varint();
    const start = this.at;
    this.advance(length);
    return start;
  }

  private advance(length: number): void {
    const at = this.at + length;
    if (at > this.end) throw unexpectedEnd();
    this.at = at;
  }

  private varint(): number {
    const { bytes } = this;
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count += 1) {
      if (this.at >= this.end) throw unexpectedEnd();
      const byte = bytes[this.at] as number;
      this.at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    throw new Error("variable length integer overflow");
  }
}

function unexpectedEnd(): Error {
  return new Error("unexpected EOF");
}

/** Reads protobuf fields from one message's bytes; views, not copies. Errors name what is broken. */
export class ProtoReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #wireType = 0;

  private constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  static of(bytes: Uint8Array): ProtoReader {
    return new ProtoReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength);
  }

  /** The number of the next field, 0 at the end. */
  next(): number {
    if (this.#at === this.#end) {
      return 0;
    }
    const tag = this.#varint();
    const field = Math.floor(tag / 8);
    this.#wireType = tag % 8;
    if (field === 0) {
      throw new Error("invalid field number");
    }
    return field;
  }

  /** The current field as an unsigned number, exact to 2^53; larger ones lose their lower bits. */
  uint(): number {
    this.#expect(0);
    return this.#varint();
  }

  bytes(): Buffer {
    this.#expect(2);
    return this.#take(this.#varint());
  }

  /** Unicode text. */
  text(): string {
    return this.#string("utf8");
  }

  /** Bytes as characters, which is how Node holds header values. */
  rawText(): string {
    return this.#string("latin1");
  }

  message(): ProtoReader {
    this.#expect(2);
    const size = this.#varint();
    const start = this.#at;
    this.#advance(size);
    return new ProtoReader(this.#bytes, start, this.#at);
  }

  /** Passes over the current field. */
  skip(): void {
    switch (this.#wireType) {
      case 0:
        this.#varint();
        return;
      case 1:
        this.#advance(8);
        return;
      case 2:
        this.#advance(this.#varint());
        return;
      case 5:
        this.#advance(4);
        return;
      default:
        throw new Error(`cannot parse reserved wire type ${this.#wireType}`);
    }
  }

  #string(encoding: "utf8" | "latin1"): string {
    this.#expect(2);
    const size = this.#varint();
    const start = this.#at;
    this.#advance(size);
    return this.#bytes.toString(encoding, start, this.#at);
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) {
      throw new Error(`wire type ${this.#wireType} where ${wireType} belongs`);
    }
  }

  #take(size: number): Buffer {
    const start = this.#at;
    this.#advance(size);
    return this.#bytes.subarray(start, this.#at);
  }

  #advance(size: number): void {
    const end = this.#at + size;
    if (end > this.#end) {
      throw new Error("unexpected EOF");
    }
    this.#at = end;
  }

  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count += 1) {
      if (this.#at >= this.#end) {
        throw new Error("unexpected EOF");
      }
      const byte = this.#bytes[this.#at] as number;
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        return value;
      }
      factor *= 0x80;
    }
    throw new Error("variable length integer overflow");
  }
}

import { ValueError, type ValueWriter, writeBytes, writeText } from "./scalars.ts";

/** A binary array, flattened: Go's driver reads any array into a list. */
export function arrayOf(writeElement: ValueWriter): ValueWriter {
  return (value) => {
    const dimensions = value.readInt32BE(0);
    let count = dimensions === 0 ? 0 : 1;
    for (let index = 0; index < dimensions; index += 1) {
      count *= value.readInt32BE(12 + 8 * index);
    }
    const reader = new PartReader(value, 12 + 8 * dimensions);
    const elements: string[] = [];
    for (let index = 0; index < count; index += 1) {
      elements.push(element(reader.next(), index, writeElement));
    }
    return `[${elements.join(",")}]`;
  };
}

function element(part: Buffer | undefined, index: number, writeElement: ValueWriter): string {
  if (part === undefined) {
    return "null";
  }
  try {
    return writeElement(part);
  } catch (error) {
    if (error instanceof ValueError && error.stage === "reading") {
      throw new ValueError("reading", `failed to scan array element ${index}: ${error.message}`);
    }
    throw error;
  }
}

const RANGE_EMPTY = 0x01;
const LOWER_INCLUSIVE = 0x02;
const UPPER_INCLUSIVE = 0x04;
const LOWER_UNBOUNDED = 0x08;
const UPPER_UNBOUNDED = 0x10;

/** Kinds of bounds are the letters e, i, U and E as numbers. */
const EXCLUSIVE = 101;
const INCLUSIVE = 105;
const UNBOUNDED = 85;
const EMPTY = 69;

export function rangeOf(writeBound: ValueWriter): ValueWriter {
  return (value) => {
    const flags = value[0] ?? 0;
    const reader = new PartReader(value, 1);
    const isEmpty = (flags & RANGE_EMPTY) !== 0;
    const bound = (unbounded: number): string =>
      isEmpty || (flags & unbounded) !== 0 ? "null" : writeBound(reader.next() ?? Buffer.alloc(0));
    const kind = (unbounded: number, inclusive: number): number => {
      if (isEmpty) return EMPTY;
      if ((flags & unbounded) !== 0) return UNBOUNDED;
      return (flags & inclusive) === 0 ? EXCLUSIVE : INCLUSIVE;
    };
    const [lower, upper] = [bound(LOWER_UNBOUNDED), bound(UPPER_UNBOUNDED)];
    return `{"Lower":${lower},"Upper":${upper},"LowerType":${kind(LOWER_UNBOUNDED, LOWER_INCLUSIVE)},"UpperType":${kind(UPPER_UNBOUNDED, UPPER_INCLUSIVE)},"Valid":true}`;
  };
}

export function multirangeOf(writeRange: ValueWriter): ValueWriter {
  return (value) => {
    const reader = new PartReader(value, 4);
    const ranges = Array.from({ length: value.readInt32BE(0) }, () => writeRange(reader.next() ?? Buffer.alloc(0)));
    return `[${ranges.join(",")}]`;
  };
}

/** A row value without a type of its own. A field of a type that nobody knows is bytes. */
export function recordOf(writerOf: (oid: number) => ValueWriter | undefined): ValueWriter {
  return (value) => {
    const reader = new PartReader(value, 4);
    const fields = Array.from({ length: value.readInt32BE(0) }, () => {
      const write = writerOf(reader.oid()) ?? writeBytes;
      const part = reader.next();
      return part === undefined ? "null" : write(part);
    });
    return `[${fields.join(",")}]`;
  };
}

/** Parts that each begin with their length in bytes; -1 stands for NULL. */
class PartReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  oid(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  next(): Buffer | undefined {
    const length = this.#bytes.readInt32BE(this.#at);
    const start = this.#at + 4;
    this.#at = length < 0 ? start : start + length;
    return length < 0 ? undefined : this.#bytes.subarray(start, this.#at);
  }
}

/** An array of one dimension in text form (`{a,"b c",NULL}`), for the types that have no binary one. */
export const writeTextArray: ValueWriter = (value) => {
  const elements: string[] = [];
  for (const [, quoted, bare] of value.toString("utf8").matchAll(TEXT_ELEMENT)) {
    if (quoted !== undefined) {
      elements.push(writeText(Buffer.from(quoted.replace(/\\(.)/gs, "$1"))));
    } else if (bare !== undefined) {
      elements.push(bare === "NULL" ? "null" : writeText(Buffer.from(bare)));
    }
  }
  return `[${elements.join(",")}]`;
};

const TEXT_ELEMENT = /"((?:[^"\\]|\\.)*)"|([^{},"]+)/gs;

import type { HeaderList } from "../../../http/types.ts";
import type { RequestHead } from "../../transport.ts";
import { writeLatin1 } from "../latin1.ts";
import { isFieldName } from "./field-kind.ts";
import { ENTRY_OVERHEAD_BYTES, STATIC_ENTRIES, STATIC_TABLE } from "./static-table.ts";

/** Bytes of the table that we use of what the peer offers: more only costs memory. */
const TABLE_BYTES_MAX = 4096;
/** Heads that are sent again and again, as the same object. */
const KNOWN_HEADS_MAX = 16;
/** Heads of late, of which some may come again. */
const CANDIDATES_MAX = 8;
/** Fields that are remembered, to see whether they come again. */
const REMEMBERED_FIELDS_MAX = 256;
/** Longer values are not worth a place in the table. */
const INDEXED_VALUE_LENGTH_MAX = 256;
const PREFIX_LITERAL = 0x00;
const PREFIX_NEVER_INDEXED = 0x10;
const PREFIX_INCREMENTAL = 0x40;
const PREFIX_INDEXED = 0x80;
const PREFIX_SIZE_UPDATE = 0x20;

/** Values that must not be found out by watching sizes (RFC 7541 section 7.1.3). */
const SENSITIVE: ReadonlySet<string> = new Set(["authorization", "cookie", "dapr-api-token", "proxy-authorization"]);
/** Pseudo-headers begin with it. */
const COLON = 0x3a;
const BAD_VALUE = /[\0\r\n]|[^\0-\xff]/;

/** A field that cannot be sent: what stands in it would break the head. */
export class FieldError extends Error {
  override readonly name = "FieldError";
}

/** A head that was sent before and the bytes it became, which hold as long as the table stays the same. */
interface KnownHead {
  readonly source: object;
  readonly status: number;
  readonly bytes: Buffer;
  readonly insertions: number;
}

/**
 * Encodes the header blocks of one connection in their order (RFC 7541). A field gets a place in the table when the same
 * value comes a second time, so that values that are always new do not push out those that return. No Huffman coding:
 * between processes of one machine or rack it costs more than it saves.
 */
export class HpackEncoder {
  private bytes = Buffer.allocUnsafeSlow(1024);
  private at = 0;
  private readonly staticIndex: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Absolute numbers (the first insertion is 1) of dynamic entries by name and value. */
  private readonly dynamic = new Map<string, Map<string, number>>();
  private readonly entries: { name: string; value: string }[] = [];
  private oldest = 0;
  private insertions = 0;
  private tableBytes = 0;
  private tableBytesLimit = TABLE_BYTES_MAX;
  /** The peer must be told of the table's size with the next block: `flush` that it was emptied in between. */
  private sizeUpdate: "none" | "limit" | "flush" = "none";
  private readonly seenOnce = new Set<string>();
  private readonly known: KnownHead[] = [];
  private nextKnown = 0;
  private readonly candidates: object[] = [];
  private nextCandidate = 0;

  constructor(staticIndex: ReadonlyMap<string, ReadonlyMap<string, number>>) {
    this.staticIndex = staticIndex;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  limitTable(bytes: number): void {
    const limit = Math.min(bytes, TABLE_BYTES_MAX);
    if (limit === this.tableBytesLimit) return;
    this.forgetHeads();
    // Were it to shrink and grow again between two blocks, both would have to be told; emptying it covers all cases.
    if (this.sizeUpdate === "none") {
      this.shrink(limit);
      this.sizeUpdate = "limit";
    } else {
      this.empty(limit);
    }
  }

  /** @returns the block, valid until the next call. @throws FieldError */
  request(head: RequestHead): Buffer {
    return this.lookUp(head, 0) ?? this.encode(head, 0, head, head.headers);
  }

  /** @returns the block, valid until the next call. @throws FieldError */
  response(status: number, headers: HeaderList): Buffer {
    return this.lookUp(headers, status) ?? this.encode(headers, status, undefined, headers);
  }

  /** @returns the block, valid until the next call. @throws FieldError */
  trailers(trailers: HeaderList): Buffer {
    return this.lookUp(trailers, 0) ?? this.encode(trailers, 0, undefined, trailers);
  }

  private encode(source: object, status: number, request: RequestHead | undefined, headers: HeaderList): Buffer {
    const { insertions } = this;
    const told = this.sizeUpdate !== "none";
    this.begin();
    try {
      if (request !== undefined) {
        this.field(":method", request.method);
        this.field(":scheme", request.scheme);
        this.field(":path", request.path);
        if (request.authority !== "") this.field(":authority", request.authority);
      } else if (status !== 0) this.field(":status", String(status));
      for (let i = 0; i + 1 < headers.length; i += 2) {
        const name = headers[i] as string;
        if (name.charCodeAt(0) === COLON) throw new FieldError(`${name} is no header of a message`);
        this.field(name, headers[i + 1] as string);
      }
    } catch (error) {
      // The peer will not see what this block put into the table.
      this.empty(this.tableBytesLimit);
      throw error;
    }
    const block = this.bytes.subarray(0, this.at);
    if (!told && insertions === this.insertions) this.remember(source, status, block);
    return block;
  }

  private lookUp(source: object, status: number): Buffer | undefined {
    const { known } = this;
    for (let i = 0; i < known.length; i += 1) {
      const one = known[i] as KnownHead;
      if (one.source === source && one.status === status) {
        return one.insertions === this.insertions && this.sizeUpdate === "none" ? one.bytes : undefined;
      }
    }
    return undefined;
  }

  private begin(): void {
    this.at = 0;
    if (this.sizeUpdate === "flush") this.integer(PREFIX_SIZE_UPDATE, 0x1f, 0);
    if (this.sizeUpdate !== "none") this.integer(PREFIX_SIZE_UPDATE, 0x1f, this.tableBytesLimit);
    this.sizeUpdate = "none";
  }

  /** A head is remembered when the same object soon comes again: those made for one call never do. */
  private remember(source: object, status: number, block: Buffer): void {
    const place = this.known.findIndex((one) => one.source === source && one.status === status);
    if (place === -1 && !this.candidates.includes(source)) {
      this.candidates[this.nextCandidate] = source;
      this.nextCandidate = (this.nextCandidate + 1) % CANDIDATES_MAX;
      return;
    }
    const known = { source, status, bytes: Buffer.from(block), insertions: this.insertions };
    if (place !== -1) {
      this.known[place] = known;
    } else if (this.known.length < KNOWN_HEADS_MAX) {
      this.known.push(known);
    } else {
      this.known[this.nextKnown] = known;
      this.nextKnown = (this.nextKnown + 1) % KNOWN_HEADS_MAX;
    }
  }

  private field(name: string, value: string): void {
    const statics = this.staticIndex.get(name);
    const exact = statics?.get(value);
    if (exact !== undefined && value !== "") {
      this.integer(PREFIX_INDEXED, 0x7f, exact);
      return;
    }
    const dynamics = this.dynamic.get(name);
    const number = dynamics?.get(value);
    if (number !== undefined) {
      this.integer(PREFIX_INDEXED, 0x7f, this.indexOf(number));
      return;
    }
    if (BAD_VALUE.test(value)) throw new FieldError(`header ${name} has a value that HTTP/2 cannot carry`);
    if (statics === undefined && dynamics === undefined && !isFieldName(name)) {
      throw new FieldError(`${JSON.stringify(name)} is no header name`);
    }
    const nameIndex = statics?.values().next().value ?? this.newestOf(dynamics);
    if (SENSITIVE.has(name)) this.literal(PREFIX_NEVER_INDEXED, 0x0f, nameIndex, name, value);
    else if (this.returns(name, value)) {
      this.literal(PREFIX_INCREMENTAL, 0x3f, nameIndex, name, value);
      this.insert(name, value);
    } else this.literal(PREFIX_LITERAL, 0x0f, nameIndex, name, value);
  }

  private newestOf(dynamics: ReadonlyMap<string, number> | undefined): number {
    const number = dynamics?.values().next().value;
    return number === undefined ? 0 : this.indexOf(number);
  }

  private indexOf(number: number): number {
    return STATIC_ENTRIES + this.insertions - number + 1;
  }

  /** Whether the field is worth a place in the table: it comes for the second time. */
  private returns(name: string, value: string): boolean {
    if (value.length > INDEXED_VALUE_LENGTH_MAX) return false;
    const field = `${name}\0${value}`;
    if (this.seenOnce.delete(field)) return true;
    if (this.seenOnce.size >= REMEMBERED_FIELDS_MAX) this.seenOnce.clear();
    this.seenOnce.add(field);
    return false;
  }

  private literal(prefix: number, mask: number, nameIndex: number, name: string, value: string): void {
    this.integer(prefix, mask, nameIndex);
    if (nameIndex === 0) this.string(name);
    this.string(value);
  }

  private string(text: string): void {
    this.integer(0, 0x7f, text.length);
    this.room(text.length);
    this.at += writeLatin1(this.bytes, text, this.at);
  }

  /** An integer behind the bits of a prefix (RFC 7541 section 5.1). */
  private integer(prefix: number, mask: number, value: number): void {
    this.room(8);
    if (value < mask) {
      this.bytes[this.at] = prefix | value;
      this.at += 1;
      return;
    }
    this.bytes[this.at] = prefix | mask;
    this.at += 1;
    let rest = value - mask;
    while (rest >= 0x80) {
      this.bytes[this.at] = (rest & 0x7f) | 0x80;
      this.at += 1;
      rest >>>= 7;
    }
    this.bytes[this.at] = rest;
    this.at += 1;
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + bytes));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }

  private insert(name: string, value: string): void {
    this.insertions += 1;
    this.entries.push({ name, value });
    this.tableBytes += name.length + value.length + ENTRY_OVERHEAD_BYTES;
    let values = this.dynamic.get(name);
    if (values === undefined) {
      values = new Map();
      this.dynamic.set(name, values);
    }
    values.set(value, this.insertions);
    this.shrink(this.tableBytesLimit);
  }

  /** Entries that they refer to may go without a new one in their place. */
  private forgetHeads(): void {
    this.known.length = 0;
    this.nextKnown = 0;
  }

  private empty(limit: number): void {
    this.forgetHeads();
    this.shrink(0);
    this.tableBytesLimit = limit;
    this.sizeUpdate = "flush";
  }

  private shrink(limit: number): void {
    this.tableBytesLimit = limit;
    while (this.tableBytes > limit) {
      const entry = this.entries[this.oldest] as { name: string; value: string };
      this.oldest += 1;
      this.tableBytes -= entry.name.length + entry.value.length + ENTRY_OVERHEAD_BYTES;
      const values = this.dynamic.get(entry.name);
      const number = this.insertions - this.entries.length + this.oldest;
      if (values?.get(entry.value) === number) values.delete(entry.value);
      if (values?.size === 0) this.dynamic.delete(entry.name);
    }
    if (this.oldest > 64) {
      this.entries.splice(0, this.oldest);
      this.oldest = 0;
    }
  }
}

/** Indexes of the static table by name and value, shared by all encoders. */
export function staticIndex(): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const index = new Map<string, Map<string, number>>();
  for (let i = 0; i < STATIC_ENTRIES; i += 1) {
    const name = STATIC_TABLE[i * 2] as string;
    // HTTP/2 forbids one name of its own table.
    if (name.charCodeAt(0) !== COLON && !isFieldName(name)) continue;
    const values = index.get(name) ?? new Map<string, number>();
    values.set(STATIC_TABLE[i * 2 + 1] as string, i + 1);
    index.set(name, values);
  }
  return index;
}

import type { HeaderList } from "../../../http/types.ts";
import { HEADER_EXCESS_MAX } from "../../limits.ts";
import { H2_ERROR, type RequestHead, type ResponseHead } from "../../transport.ts";
import { ConnectionError } from "../errors.ts";
import { FIELD, fieldKind } from "./field-kind.ts";
import type { HuffmanDecoder } from "./huffman.ts";
import { readLatin1 } from "../latin1.ts";
import { ENTRY_OVERHEAD_BYTES, STATIC_ENTRIES, STATIC_TABLE } from "./static-table.ts";

/** What a header block said: the head of a request or response, or trailers. */
export interface DecodedHead {
  readonly headers: HeaderList;
  /** Where the pseudo-headers are a request's, all that it needs among them. */
  readonly request: RequestHead | undefined;
  readonly response: ResponseHead | undefined;
  /** -1: none. */
  readonly contentLength: number;
  /** Has pseudo-headers, which trailers must not have. */
  readonly pseudo: boolean;
  readonly fault: HeadFault;
}

/** `malformed`: breaks RFC 9113 section 8; `tooLarge`: more fields or bytes than we take. */
export type HeadFault = "" | "malformed" | "tooLarge";

/** Blocks longer than this are not looked up among the known ones. */
const KNOWN_BLOCK_BYTES_MAX = 64;
const KNOWN_BLOCKS_MAX = 256;
/** A string of HPACK longer than any block we take cannot be meant. */
const INTEGER_MAX = 2 ** 28;
/** Size updates at the start of a block: the smallest since the last block, and the last one (RFC 7541 section 4.2). */
const SIZE_UPDATES_MAX = 2;

/** Decodes the header blocks of one connection in their order (RFC 7541). */
export class HpackDecoder {
  private readonly tableBytesMax: number;
  private readonly headerBytesMax: number;
  private readonly fieldsMax: number;
  private readonly huffman: HuffmanDecoder;
  /** The dynamic table: the newest entry is the last. */
  private names: string[] = [];
  private values: string[] = [];
  private kinds: number[] = [];
  /** Where the oldest entry stands; entries before it have been evicted. */
  private oldest = 0;
  private tableBytes = 0;
  private tableBytesLimit: number;
  /** Blocks that only refer to table entries mean the same until the table changes. */
  private readonly known = new Map<string, DecodedHead>();
  private block: Buffer = EMPTY;
  private at = 0;
  private end = 0;

  constructor(limits: { tableBytesMax: number; headerBytesMax: number; fieldsMax: number }, huffman: HuffmanDecoder) {
    this.tableBytesMax = limits.tableBytesMax;
    this.tableBytesLimit = limits.tableBytesMax;
    this.headerBytesMax = limits.headerBytesMax;
    this.fieldsMax = limits.fieldsMax;
    this.huffman = huffman;
  }

  /**
   * Decodes one whole block. A head that breaks the rules is returned with its fault, since the table goes on with it.
   * @throws ConnectionError COMPRESSION_ERROR, after which the table is out of step with the peer's
   */
  decode(block: Buffer, start: number, end: number): DecodedHead {
    if (end - start > KNOWN_BLOCK_BYTES_MAX) return this.decodeFields(block, start, end, NO_KEY);
    const key = readLatin1(block, start, end);
    return this.known.get(key) ?? this.decodeFields(block, start, end, key);
  }

  private decodeFields(block: Buffer, start: number, end: number, key: string): DecodedHead {
    this.block = block;
    this.at = start;
    this.end = end;
    const head = new HeadBuilder(this.headerBytesMax, this.fieldsMax);
    let stable = key !== NO_KEY;
    let updates = 0;
    let fields = false;
    while (this.at < end) {
      const first = block[this.at] as number;
      if (first >= 0x80) {
        this.indexed(this.integer(0x7f), head);
      } else if ((first & 0xe0) === 0x20) {
        updates += 1;
        if (fields || updates > SIZE_UPDATES_MAX) throw compressionError("a table size update after a field");
        this.resize(this.integer(0x1f));
        stable = false;
        continue;
      } else {
        const inserts = first >= 0x40;
        this.literal(inserts ? this.integer(0x3f) : this.integer(0x0f), inserts, head);
        if (inserts) stable = false;
      }
      fields = true;
    }
    this.block = EMPTY;
    const decoded = head.build();
    if (stable && this.known.size < KNOWN_BLOCKS_MAX) this.known.set(key, decoded);
    return decoded;
  }

  private indexed(index: number, head: HeadBuilder): void {
    if (index <= STATIC_ENTRIES) {
      if (index === 0) throw compressionError("index 0");
      const at = (index - 1) * 2;
      head.add(STATIC_TABLE[at] as string, STATIC_TABLE[at + 1] as string, STATIC_KINDS[index - 1] as number);
      return;
    }
    const at = this.dynamicAt(index);
    head.add(this.names[at] as string, this.values[at] as string, this.kinds[at] as number);
  }

  private literal(index: number, inserts: boolean, head: HeadBuilder): void {
    const name = index === 0 ? this.string() : this.nameAt(index);
    const value = this.string();
    const kind = fieldKind(name, value);
    head.add(name, value, kind);
    if (inserts) this.insert(name, value, kind);
  }

  private nameAt(index: number): string {
    return index <= STATIC_ENTRIES
      ? (STATIC_TABLE[(index - 1) * 2] as string)
      : (this.names[this.dynamicAt(index)] as string);
  }

  private dynamicAt(index: number): number {
    const at = this.names.length - (index - STATIC_ENTRIES);
    if (at < this.oldest) throw compressionError(`index ${index} is beyond the table`);
    return at;
  }

  /** An integer with a prefix of as many bits as the mask has (RFC 7541 section 5.1). */
  private integer(mask: number): number {
    const { block } = this;
    let value = (block[this.at] as number) & mask;
    this.at += 1;
    if (value < mask) return value;
    for (let scale = 1; ; scale *= 128) {
      if (this.at >= this.end) throw compressionError("the block ends within an integer");
      const byte = block[this.at] as number;
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (value > INTEGER_MAX || scale > INTEGER_MAX) throw compressionError("an integer is too large");
      if (byte < 0x80) return value;
    }
  }

  private string(): string {
    if (this.at >= this.end) throw compressionError("the block ends before a string");
    const huffman = (this.block[this.at] as number) >= 0x80;
    const length = this.integer(0x7f);
    const start = this.at;
    const end = start + length;
    if (end > this.end) throw compressionError("the block ends within a string");
    this.at = end;
    if (!huffman) return readLatin1(this.block, start, end);
    const text = this.huffman.decode(this.block, start, end);
    if (text === undefined) throw compressionError("a string is not in the Huffman code");
    return text;
  }

  private insert(name: string, value: string, kind: number): void {
    if (this.known.size > 0) this.known.clear();
    this.names.push(name);
    this.values.push(value);
    this.kinds.push(kind);
    this.tableBytes += name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.evict();
  }

  private resize(bytes: number): void {
    if (bytes > this.tableBytesMax)
      throw compressionError(`a table of ${bytes} bytes, of ${this.tableBytesMax} allowed`);
    this.tableBytesLimit = bytes;
    this.known.clear();
    this.evict();
  }

  private evict(): void {
    while (this.tableBytes > this.tableBytesLimit) {
      const { oldest } = this;
      this.tableBytes -=
        (this.names[oldest] as string).length + (this.values[oldest] as string).length + ENTRY_OVERHEAD_BYTES;
      this.names[oldest] = "";
      this.values[oldest] = "";
      this.oldest = oldest + 1;
    }
    // Most of the arrays is of evicted entries: moved together now and then, not shifted each time.
    if (this.oldest > 256 && this.oldest * 2 > this.names.length) {
      this.names = this.names.slice(this.oldest);
      this.values = this.values.slice(this.oldest);
      this.kinds = this.kinds.slice(this.oldest);
      this.oldest = 0;
    }
  }
}

/** Collects the fields of one block and keeps the rules of heads: which come first, which once. */
class HeadBuilder {
  private readonly headerBytesMax: number;
  private readonly fieldsMax: number;
  private readonly headers: string[] = [];
  private method: string | undefined = undefined;
  private path: string | undefined = undefined;
  private scheme: string | undefined = undefined;
  private authority: string | undefined = undefined;
  private status = 0;
  private contentLength = -1;
  private pseudo = false;
  private bytes = 0;
  private fields = 0;
  private fault: HeadFault = "";

  constructor(headerBytesMax: number, fieldsMax: number) {
    this.headerBytesMax = headerBytesMax;
    this.fieldsMax = fieldsMax;
  }

  add(name: string, value: string, kind: number): void {
    this.bytes += name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.fields += 1;
    if (this.bytes > this.headerBytesMax || this.fields > this.fieldsMax) {
      this.fault = "tooLarge";
      if (this.bytes > this.headerBytesMax * HEADER_EXCESS_MAX) {
        throw new ConnectionError(
          H2_ERROR.enhanceYourCalm,
          `a header block of more than ${this.headerBytesMax * HEADER_EXCESS_MAX} bytes`,
          "header_flood",
        );
      }
      if (this.fields > this.fieldsMax * HEADER_EXCESS_MAX) {
        throw new ConnectionError(
          H2_ERROR.enhanceYourCalm,
          `a header block of more than ${this.fieldsMax * HEADER_EXCESS_MAX} fields`,
          "header_flood",
        );
      }
      return;
    }
    switch (kind) {
      case FIELD.regular:
        this.headers.push(name, value);
        return;
      case FIELD.method:
        this.method = this.once(this.method, value);
        return;
      case FIELD.path:
        this.path = this.once(this.path, value);
        return;
      case FIELD.scheme:
        this.scheme = this.once(this.scheme, value);
        return;
      case FIELD.authority:
        this.authority = this.once(this.authority, value);
        return;
      case FIELD.status:
        this.once(this.status === 0 ? undefined : "", value);
        this.status = Number(value);
        return;
      case FIELD.contentLength:
        if (this.contentLength !== -1 && this.contentLength !== Number(value)) this.spoil();
        this.contentLength = Number(value);
        this.headers.push(name, value);
        return;
      default:
        this.spoil();
    }
  }

  build(): DecodedHead {
    const { headers, contentLength, pseudo, fault, status } = this;
    return {
      headers,
      request: status === 0 && this.method !== undefined ? this.request(this.method) : undefined,
      response: status === 0 || this.method !== undefined ? undefined : { status, headers },
      contentLength,
      pseudo,
      fault,
    };
  }

  /** All but CONNECT name a scheme and a path (RFC 9113 section 8.3.1). */
  private request(method: string): RequestHead | undefined {
    const { scheme = "", path = "", authority = "", headers } = this;
    if (method === "CONNECT" ? authority === "" : scheme === "" || path === "") return undefined;
    return { method, path, scheme, authority, headers };
  }

  /** Pseudo-headers come before all others, each at most once (RFC 9113 section 8.3). */
  private once(before: string | undefined, value: string): string {
    if (before !== undefined || this.headers.length > 0) this.spoil();
    this.pseudo = true;
    return value;
  }

  private spoil(): void {
    if (this.fault === "") this.fault = "malformed";
  }
}

const EMPTY = Buffer.alloc(0);
const NO_KEY = "\u{10ffff}";

const STATIC_KINDS: readonly number[] = Array.from({ length: STATIC_ENTRIES }, (_, entry) => {
  const name = STATIC_TABLE[entry * 2] as string;
  const value = STATIC_TABLE[entry * 2 + 1] as string;
  // Entries whose values are empty are there for their names; alone they are still valid, but for a length that is none.
  return name === "content-length" ? FIELD.malformed : fieldKind(name, value);
});

function compressionError(reason: string): ConnectionError {
  return new ConnectionError(H2_ERROR.compression, `HPACK: ${reason}`);
}

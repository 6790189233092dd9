import { readLatin1 } from "../latin1.ts";

/**
 * Bits of each symbol's code; 256 is the end of the string. The code of RFC 7541 appendix B is canonical: symbols sorted
 * by length, then by value, get consecutive codes, so that the lengths say all.
 */
export const CODE_BITS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];

const END_OF_STRING = 256;
const SYMBOLS = 257;
const CODE_BITS_MIN = 5;
const CODE_BITS_MAX = 30;
/** Padding is shorter than a byte. */
const PADDING_BITS_MAX = 7;
/** Codes up to this length, which are those of nearly all characters in headers, are found by one look at a table. */
const TABLE_BITS = 9;

/** Decodes strings of HPACK's Huffman code; stateless once made. */
export class HuffmanDecoder {
  /** By the next nine bits: symbol << 4 | code length, or 0 for longer codes. */
  private readonly table = new Uint16Array(1 << TABLE_BITS);
  /** By code length: the first code, where its symbol stands in `symbols`, and the code after the last. */
  private readonly firstCode = new Uint32Array(CODE_BITS_MAX + 1);
  private readonly firstIndex = new Uint16Array(CODE_BITS_MAX + 1);
  private readonly endCode = new Uint32Array(CODE_BITS_MAX + 1);
  private readonly symbols: Uint16Array;
  private out = Buffer.allocUnsafeSlow(256);

  constructor() {
    this.symbols = Uint16Array.from(
      Array.from({ length: SYMBOLS }, (_, symbol) => symbol).sort((a, b) => bitsOf(a) - bitsOf(b) || a - b),
    );
    let code = 0;
    let index = 0;
    for (let bits = CODE_BITS_MIN; bits <= CODE_BITS_MAX; bits += 1) {
      this.firstCode[bits] = code;
      this.firstIndex[bits] = index;
      while (index < SYMBOLS && bitsOf(this.symbols[index] as number) === bits) {
        if (bits <= TABLE_BITS) this.fill(this.symbols[index] as number, code, bits);
        code += 1;
        index += 1;
      }
      this.endCode[bits] = code;
      code *= 2;
    }
  }

  /** @returns the text, a character per octet, or undefined for bytes that no encoder makes */
  decode(bytes: Buffer, start: number, end: number): string | undefined {
    // The shortest code has five bits.
    const longest = Math.ceil(((end - start) * 8) / CODE_BITS_MIN);
    if (this.out.length < longest) this.out = Buffer.allocUnsafeSlow(longest);
    const { out, table } = this;
    let written = 0;
    // The bits not yet used, in the lowest `count` bits: never more than 31.
    let window = 0;
    let count = 0;
    let at = start;
    for (;;) {
      while (count <= 22 && at < end) {
        window = ((window << 8) | (bytes[at] as number)) & 0x7fffffff;
        count += 8;
        at += 1;
      }
      if (count < CODE_BITS_MIN) break;
      const peek =
        count >= TABLE_BITS ? (window >>> (count - TABLE_BITS)) & 511 : (window << (TABLE_BITS - count)) & 511;
      const entry = table[peek] as number;
      const bits = entry & 15;
      if (entry === 0) {
        const from = (at - start) * 8 - count;
        const long = this.longCode(bytes, start, end, from);
        if (long === -1) break;
        const symbol = long >>> 5;
        if (symbol === END_OF_STRING) return undefined;
        out[written] = symbol;
        written += 1;
        const next = from + (long & 31);
        at = start + ((next + 7) >>> 3);
        count = (at - start) * 8 - next;
        window = count === 0 ? 0 : (bytes[at - 1] as number) & ((1 << count) - 1);
        continue;
      }
      if (bits > count) break;
      out[written] = entry >>> 4;
      written += 1;
      count -= bits;
      window &= (1 << count) - 1;
    }
    // What is left must be padding: the first bits of the end-of-string code, which are ones.
    if (count > PADDING_BITS_MAX || at < end || window !== (1 << count) - 1) return undefined;
    return readLatin1(out, 0, written);
  }

  /**
   * The symbol whose code, longer than the table's, begins at a bit, as symbol << 5 | code length; -1 where the bits end
   * before the code does.
   */
  private longCode(bytes: Buffer, start: number, end: number, from: number): number {
    const at = start + (from >>> 3);
    const shift = from & 7;
    // The next 30 bits: of four bytes and the first bits of a fifth; what is beyond the end is not looked at.
    const four =
      (byteAt(bytes, at, end) << 24) |
      (byteAt(bytes, at + 1, end) << 16) |
      (byteAt(bytes, at + 2, end) << 8) |
      byteAt(bytes, at + 3, end);
    const next = (((four << shift) | (byteAt(bytes, at + 4, end) >>> (8 - shift))) >>> 2) & 0x3fffffff;
    const bitsMax = Math.min((end - start) * 8 - from, CODE_BITS_MAX);
    for (let bits = TABLE_BITS + 1; bits <= bitsMax; bits += 1) {
      const code = next >>> (CODE_BITS_MAX - bits);
      if (code < (this.endCode[bits] as number)) {
        const index = (this.firstIndex[bits] as number) + code - (this.firstCode[bits] as number);
        return ((this.symbols[index] as number) << 5) | bits;
      }
    }
    return -1;
  }

  private fill(symbol: number, code: number, bits: number): void {
    const spare = TABLE_BITS - bits;
    for (let low = 0; low < 1 << spare; low += 1) {
      this.table[(code << spare) | low] = (symbol << 4) | bits;
    }
  }
}

function byteAt(bytes: Buffer, at: number, end: number): number {
  return at < end ? (bytes[at] as number) : 0;
}

function bitsOf(symbol: number): number {
  return CODE_BITS[symbol] as number;
}

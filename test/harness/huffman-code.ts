import { CODE_BITS } from "../../src/net/h2/protocol/hpack/huffman.ts";

/** The codes of RFC 7541 appendix B as strings of 0 and 1, by symbol; 256 is the end of the string. */
export const HUFFMAN_CODES: readonly string[] = canonicalCodes();

/** Octets in HPACK's Huffman code, padded with ones. */
export function huffmanCode(octets: Iterable<number>): Buffer {
  let bits = "";
  for (const octet of octets) bits += HUFFMAN_CODES[octet];
  return bytesOf(bits.padEnd(Math.ceil(bits.length / 8) * 8, "1"));
}

/** Whole bytes from a string of 0 and 1. */
export function bytesOf(bits: string): Buffer {
  return Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
}

/** Shorter codes first, symbols of one length in their order, each code one more than the last. */
function canonicalCodes(): string[] {
  const codes: string[] = [];
  let next = 0n;
  let length = 0;
  const symbols = CODE_BITS.map((bits, symbol) => ({ bits, symbol }));
  for (const { bits, symbol } of symbols.toSorted((a, b) => a.bits - b.bits || a.symbol - b.symbol)) {
    next <<= BigInt(bits - length);
    length = bits;
    codes[symbol] = next.toString(2).padStart(bits, "0");
    next += 1n;
  }
  return codes;
}

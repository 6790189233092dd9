import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesOf, HUFFMAN_CODES, huffmanCode } from "../../../../../test/harness/huffman-code.ts";
import { HuffmanDecoder } from "./huffman.ts";

const decoder = new HuffmanDecoder();
const octet = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 32, max: 126 }));

test("octets come back from their code", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5 }), fc.array(octet, { maxLength: 300 }), (before, octets) => {
      const code = huffmanCode(octets);
      const bytes = Buffer.concat([before, code, before]);
      const text = decoder.decode(bytes, before.length, before.length + code.length);
      expect(text).toBe(Buffer.from(octets).toString("latin1"));
    }),
  );
});

test("bytes are the code of some octets, or of none", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(decoder.decode(Buffer.from(bytes), 0, bytes.length)).toBe(decodeSlowly(bytes));
    }),
  );
});

/** Bit by bit, as the RFC says it. */
function decodeSlowly(bytes: Uint8Array): string | undefined {
  const symbols = new Map(HUFFMAN_CODES.map((code, symbol) => [code, symbol]));
  let code = "";
  let text = "";
  for (const byte of bytes) {
    for (const bit of byte.toString(2).padStart(8, "0")) {
      code += bit;
      const symbol = symbols.get(code);
      if (symbol === undefined) continue;
      if (symbol === 256) return undefined;
      text += String.fromCharCode(symbol);
      code = "";
    }
  }
  return code.length < 8 && !code.includes("0") ? text : undefined;
}

test("the slow decoder knows the code as well", () => {
  expect(decodeSlowly(bytesOf("0001111111"))).toBe("a");
  expect(decodeSlowly(huffmanCode(Buffer.from("no-cache")))).toBe("no-cache");
});

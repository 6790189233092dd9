import { expect, test } from "vitest";
import { bytesOf, HUFFMAN_CODES, huffmanCode } from "../../../../../test/harness/huffman-code.ts";
import { HuffmanDecoder } from "./huffman.ts";

const decoder = new HuffmanDecoder();

function decode(bytes: Buffer): string | undefined {
  return decoder.decode(bytes, 0, bytes.length);
}

/** Of RFC 7541 appendix B, of all lengths from the shortest to the longest. */
test.each([
  [48, "00000"],
  [32, "010100"],
  [123, "111111111111110"],
  [0, "1111111111000"],
  [92, "1111111111111110000"],
  [255, "11111111111111111111101110"],
  [249, "1111111111111111111111111110"],
  [10, "111111111111111111111111111100"],
  [22, "111111111111111111111111111110"],
  [256, "111111111111111111111111111111"],
])("symbol %d has the code of the RFC", (symbol, code) => {
  expect(HUFFMAN_CODES[symbol]).toBe(code);
});

test("the code leaves no gap", () => {
  expect(HUFFMAN_CODES).toHaveLength(257);
  expect(HUFFMAN_CODES.reduce((sum, code) => sum + 2 ** -code.length, 0)).toBe(1);
});

test("all 256 octets, alone and among others", () => {
  for (let octet = 0; octet < 256; octet += 1) {
    const char = String.fromCharCode(octet);
    expect(decode(huffmanCode([octet]))).toBe(char);
    expect(decode(huffmanCode([97, octet, octet, 48]))).toBe(`a${char}${char}0`);
  }
});

test.each([
  ["f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"],
  ["a8eb10649cbf", "no-cache"],
  ["d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"],
])("%s is an example of the RFC", (hex, text) => {
  expect(decode(Buffer.from(hex, "hex"))).toBe(text);
});

test("only the bytes between start and end are looked at", () => {
  const bytes = Buffer.concat([Buffer.from([0]), huffmanCode(Buffer.from("no-cache")), Buffer.from([0])]);
  expect(decoder.decode(bytes, 1, bytes.length - 1)).toBe("no-cache");
  expect(decoder.decode(bytes, 1, 1)).toBe("");
});

test.each([
  ["padding of zeros", "00011000"],
  ["padding of eight ones", `${"00011".padEnd(8, "1")}11111111`],
  ["nothing but padding", "11111111"],
  ["the end of the string", `${"1".repeat(30)}11`],
  ["a long code that is cut off", "1111111111111111"],
])("%s is refused", (_, bits) => {
  expect(decode(bytesOf(bits))).toBeUndefined();
});

import { expect, test } from "vitest";
import { literal } from "../../../../../test/harness/h2-frames.ts";
import { HpackDecoder } from "./decoder.ts";
import { FieldError, HpackEncoder, staticIndex } from "./encoder.ts";
import { HuffmanDecoder } from "./huffman.ts";

const INDEX = staticIndex();

function encoderOf(): HpackEncoder {
  return new HpackEncoder(INDEX);
}

function hex(block: Buffer): string {
  return block.toString("hex");
}

function decoderOf(): HpackDecoder {
  return new HpackDecoder({ tableBytesMax: 4096, headerBytesMax: 65_536, fieldsMax: 100 }, new HuffmanDecoder());
}

test("the pseudo-headers of a request, as RFC 7541 C.3.1 has them but for the table", () => {
  const block = encoderOf().request({
    method: "GET",
    scheme: "http",
    path: "/",
    authority: "www.example.com",
    headers: [],
  });
  expect(hex(block)).toBe(`82868401${"0f7777772e6578616d706c652e636f6d"}`);
});

test("a field enters the table when it comes a second time, and is a reference the third", () => {
  const encoder = encoderOf();
  const headers = (): string[] => ["x-a", "1"];
  expect(hex(encoder.trailers(headers()))).toBe(hex(literal("x-a", "1")));
  expect(hex(encoder.trailers(headers()))).toBe(hex(literal("x-a", "1", true)));
  expect(hex(encoder.trailers(headers()))).toBe("be");
  // Another value of the name refers to it.
  expect(hex(encoder.trailers(["x-a", "2"]))).toBe("0f2f0132");
});

test.each(["authorization", "cookie", "dapr-api-token"])("%s never enters a table", (name) => {
  const encoder = encoderOf();
  for (let i = 0; i < 3; i += 1) expect((encoder.trailers([name, "secret"])[0] ?? 0) & 0xf0).toBe(0x10);
});

test("no trailers are no bytes", () => {
  expect(encoderOf().trailers([])).toHaveLength(0);
});

test("the same head again is the same bytes, until the table changes", () => {
  const encoder = encoderOf();
  const headers = ["x-long", "v".repeat(300)];
  const first = hex(encoder.response(200, headers));
  encoder.response(200, headers);
  expect(encoder.response(200, headers)).toBe(encoder.response(200, headers));
  expect(hex(encoder.response(200, headers))).toBe(first);
  expect(hex(encoder.response(404, headers))).not.toBe(first);
  encoder.limitTable(0);
  expect(hex(encoder.response(200, headers))).toBe(`20${first}`);
});

test.each([
  ["a smaller table", (encoder: HpackEncoder) => encoder.limitTable(0)],
  [
    "a head that could not be sent",
    (encoder: HpackEncoder) => expect(() => encoder.trailers(["x-b", "\n"])).toThrow(FieldError),
  ],
])("no known head refers to entries that are gone after %s", (_, change) => {
  const encoder = encoderOf();
  const decoder = decoderOf();
  const headers = ["x-a", "1"];
  const roundTrip = (list: string[]): void => {
    const block = Buffer.from(encoder.trailers(list));
    expect(decoder.decode(block, 0, block.length).headers).toEqual(list);
  };
  for (let i = 0; i < 5; i += 1) roundTrip(headers);
  change(encoder);
  // Its block tells of the change: from the next one on nothing else would.
  roundTrip([]);
  roundTrip(headers);
});

test("references move with the table, also in heads that are known", () => {
  const encoder = encoderOf();
  const decoder = decoderOf();
  const known = ["x-a", "1"];
  for (let i = 0; i < 40; i += 1) {
    for (const headers of [known, ["x-b", String(i >> 1)]]) {
      const block = Buffer.from(encoder.trailers(headers));
      expect(decoder.decode(block, 0, block.length).headers).toEqual(headers);
    }
  }
});

test("the peer is told of a smaller table once, and of one that shrank and grew as emptied", () => {
  const encoder = encoderOf();
  encoder.limitTable(64);
  expect([hex(encoder.response(200, [])), hex(encoder.response(200, []))]).toEqual(["3f2188", "88"]);
  encoder.limitTable(0);
  encoder.limitTable(4096);
  expect(hex(encoder.response(200, []))).toBe("203fe11f88");
  encoder.limitTable(1_000_000);
  expect(hex(encoder.response(200, []))).toBe("88");
});

test.each([
  [["x-a", "1\n2"]],
  [["x-a", "1\0"]],
  [["x-a", "\u0100"]],
  [["x a", "1"]],
  [["", "1"]],
  [["transfer-encoding", "chunked"]],
  [[":path", "/"]],
])("%j cannot be sent", (headers) => {
  expect(() => encoderOf().trailers(headers)).toThrow(FieldError);
});

test("a head that cannot be sent empties the table that it had changed", () => {
  const encoder = encoderOf();
  const headers = (): string[] => ["x-a", "1"];
  encoder.trailers(headers());
  expect(() => encoder.trailers([...headers(), "x-b", "\n"])).toThrow(FieldError);
  expect(hex(encoder.trailers(headers()))).toBe(`203fe11f${hex(literal("x-a", "1"))}`);
});

import { describe, expect, test } from "vitest";
import { huffman, integer, literal } from "../../../../../test/harness/h2-frames.ts";
import { ConnectionError } from "../errors.ts";
import { type DecodedHead, HpackDecoder } from "./decoder.ts";
import { HuffmanDecoder } from "./huffman.ts";

const LIMITS = { tableBytesMax: 4096, headerBytesMax: 1_000, fieldsMax: 10 };
const GET = { method: "GET", scheme: "http", path: "/", authority: "www.example.com" };

function decoderOf(limits: Partial<typeof LIMITS> = {}): (block: string | Buffer) => DecodedHead {
  const decoder = new HpackDecoder({ ...LIMITS, ...limits }, new HuffmanDecoder());
  return (block) => {
    const bytes = typeof block === "string" ? Buffer.from(block.replaceAll(" ", ""), "hex") : block;
    return decoder.decode(bytes, 0, bytes.length);
  };
}

describe("RFC 7541 appendix C", () => {
  test("C.2: each form of a field", () => {
    const decode = decoderOf();
    const custom = "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572";
    expect(decode(custom).headers).toEqual(["custom-key", "custom-header"]);
    expect(decode("be").headers).toEqual(["custom-key", "custom-header"]);
    expect(decode("82 86 040c 2f73 616d 706c 652f 7061 7468").request?.path).toBe("/sample/path");
    expect(decode("1008 7061 7373 776f 7264 0673 6563 7265 74").headers).toEqual(["password", "secret"]);
    expect(() => decode("bf")).toThrow("beyond the table");
    expect(decode("82").pseudo).toBe(true);
  });

  test.each([
    [
      "C.3: requests without Huffman code",
      [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
      ],
    ],
    [
      "C.4: requests in it",
      [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
      ],
    ],
  ])("%s", (_, blocks) => {
    expect(blocks.map(decoderOf()).map(({ request, fault }) => ({ ...request, fault }))).toEqual([
      { ...GET, headers: [], fault: "" },
      { ...GET, headers: ["cache-control", "no-cache"], fault: "" },
      { ...GET, scheme: "https", path: "/index.html", headers: ["custom-key", "custom-value"], fault: "" },
    ]);
  });

  test.each([
    [
      "C.5: responses without Huffman code, evicting",
      [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
      ],
    ],
    [
      "C.6: responses in it, evicting",
      [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
      ],
    ],
  ])("%s", (_, blocks) => {
    const common = ["cache-control", "private", "date", "Mon, 21 Oct 2013 20:13:21 GMT"];
    const location = ["location", "https://www.example.com"];
    const cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    const last = ["content-encoding", "gzip", "set-cookie", cookie];
    const date = common.with(3, "Mon, 21 Oct 2013 20:13:22 GMT");
    const decode = decoderOf({ tableBytesMax: 256 });
    expect(blocks.map(decode).map(({ response }) => response)).toEqual([
      { status: 302, headers: [...common, ...location] },
      { status: 307, headers: [...common, ...location] },
      { status: 200, headers: [...date, ...location, ...last] },
    ]);
    // Three entries are left of it, the oldest of which is the date.
    expect(decode("c0 bf be").headers).toEqual([...date.slice(2), ...last]);
    expect(() => decode("c1")).toThrow("beyond the table");
  });
});

test.each([
  ["index 0", "80"],
  ["an index beyond the table", "be"],
  ["an unfinished integer", "ff"],
  ["an endless integer", "ff ff ff ff ff ff ff ff ff 01"],
  ["no string", "40"],
  ["an unfinished string", "40 02 61"],
  ["a string that is in no Huffman code", "00 01 61 81 00"],
  ["a table larger than ours", "3f e2 1f"],
  ["a table size after a field", "82 20"],
  ["three table sizes", "20 20 20"],
])("%s ends the connection", (_, block) => {
  expect(() => decoderOf()(block)).toThrow(ConnectionError);
  expect(() => decoderOf()(block)).toThrow(expect.objectContaining({ kind: "compression_error" }));
});

test("a table that shrinks loses its oldest entries, and keeps none at size 0", () => {
  const decode = decoderOf();
  decode(Buffer.concat([literal("x-a", "1", true), literal("x-b", "2", true)]));
  expect(decode("3f 06 be").headers).toEqual(["x-b", "2"]);
  expect(() => decode("bf")).toThrow("beyond the table");
  const emptied = decoderOf();
  emptied(literal("x-a", "1", true));
  emptied("20 3f e1 1f");
  expect(() => emptied("be")).toThrow("beyond the table");
});

test("a block that is known means something else once the table has changed", () => {
  const decode = decoderOf();
  decode(literal("x-a", "1", true));
  expect([decode("be").headers, decode("be").headers]).toEqual([
    ["x-a", "1"],
    ["x-a", "1"],
  ]);
  decode(literal("x-b", "2", true));
  expect(decode("be").headers).toEqual(["x-b", "2"]);
});

test("many insertions leave the right entries in place", () => {
  const decode = decoderOf({ tableBytesMax: 36 * 3 });
  for (let i = 100; i < 900; i += 1) decode(literal("x", String(i), true));
  expect(decode("be bf c0").headers).toEqual(["x", "899", "x", "898", "x", "897"]);
  expect(() => decode("c1")).toThrow("beyond the table");
});

test.each([
  ["a pseudo-header after a field", [literal("x-a", "1"), Buffer.from([0x82])]],
  ["two paths", [Buffer.from([0x84, 0x84])]],
  ["an unknown pseudo-header", [literal(":x", "1")]],
  ["upper case", [literal("X-A", "1")]],
  ["a header about the connection", [literal("connection", "close")]],
  ["white space around a value", [literal("x-a", " 1")]],
  ["te other than trailers", [literal("te", "gzip")]],
  ["a length that is none", [literal("content-length", "-1")]],
  ["two lengths", [literal("content-length", "1"), literal("content-length", "2")]],
  ["a status of two digits", [literal(":status", "20")]],
])("%s is malformed, and the table goes on", (_, fields) => {
  const decode = decoderOf();
  expect(decode(Buffer.concat([literal("x-t", "1", true), ...fields])).fault).toBe("malformed");
  expect(decode("be")).toMatchObject({ headers: ["x-t", "1"], fault: "" });
});

test("a head over the limits is too large, and one far over them ends the connection", () => {
  const large = literal("x-a", "a".repeat(1_000), true);
  const many = (count: number): Buffer => Buffer.alloc(count, 0x90);
  expect(decoderOf()(large).fault).toBe("tooLarge");
  expect([decoderOf()(many(10)).fault, decoderOf()(many(11)).fault]).toEqual(["", "tooLarge"]);
  expect(() => decoderOf()(many(41))).toThrow(expect.objectContaining({ kind: "header_flood" }));
  const references = Buffer.concat([large, Buffer.alloc(4, 0xbe)]);
  expect(() => decoderOf()(references)).toThrow(expect.objectContaining({ kind: "header_flood" }));
});

test("heads say whether they are a request, a response or neither", () => {
  const decode = decoderOf();
  expect(decode("82 86 84")).toMatchObject({ request: { method: "GET" }, response: undefined });
  expect(decode("88")).toMatchObject({ request: undefined, response: { status: 200 } });
  expect(decode("82 86")).toMatchObject({ request: undefined, response: undefined });
  expect(decode("88 82")).toMatchObject({ request: undefined, response: undefined });
  expect(decode(literal("content-length", "12"))).toMatchObject({ contentLength: 12, pseudo: false });
  expect(decode(literal("x-a", "1"))).toMatchObject({ contentLength: -1 });
  expect(decode(Buffer.alloc(0))).toMatchObject({ headers: [], pseudo: false, fault: "" });
  const connect = Buffer.concat([literal(":method", "CONNECT"), literal(":authority", "a:1")]);
  expect(decode(connect).request).toMatchObject({ method: "CONNECT", authority: "a:1" });
});

test("a long integer is read to its end", () => {
  const value = "v".repeat(900);
  expect(decoderOf()(literal("x-a", value)).headers).toEqual(["x-a", value]);
  expect(integer(900, 0x7f, 0).length).toBe(3);
  expect(decoderOf()(huffman("x-a", Buffer.from("a8eb10649cbf", "hex"))).headers).toEqual(["x-a", "no-cache"]);
});

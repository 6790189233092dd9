import fc from "fast-check";
import { expect, test } from "vitest";
import { HpackDecoder } from "./decoder.ts";
import { FieldError, HpackEncoder, staticIndex } from "./encoder.ts";
import { HuffmanDecoder } from "./huffman.ts";

const INDEX = staticIndex();
const HUFFMAN = new HuffmanDecoder();
const TABLE_BYTES = 4096;

const name = fc.constantFrom("x-a", "x-b", "accept", "user-agent", "grpc-timeout", "authorization", "x-many-names");
const value = fc.oneof(
  fc.constantFrom("", "1", "application/grpc", "trailers"),
  fc.string({ unit: fc.constantFrom(..."abc é~%".split("")), maxLength: 20 }).map((text) => text.trim()),
  fc.integer({ min: 100, max: 3_000 }).map((length) => "v".repeat(length)),
);
const fields = fc.array(fc.tuple(name, value), { maxLength: 8 }).map((pairs) => pairs.flat());
const bad = fc.constantFrom(["x-a", "a\nb"], ["X", "1"], ["x-b", "\u{1f600}"], ["upgrade", "1"]);

type Step =
  | { readonly do: "request" | "response" | "trailers"; readonly headers: string[] }
  /** The head of an earlier step, as the same object. */
  | { readonly do: "again"; readonly which: number }
  | { readonly do: "limit"; readonly bytes: number }
  | { readonly do: "fail"; readonly headers: string[] };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("request", "response", "trailers"), headers: fields }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("again" as const), which: fc.nat({ max: 5 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("limit" as const),
      bytes: fc.oneof(fc.constantFrom(0, 100, TABLE_BYTES, 2 ** 31), fc.nat({ max: TABLE_BYTES })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("fail" as const),
      headers: fc.tuple(fields, bad, fields).map((parts) => parts.flat()),
    }),
  },
);

test("what is encoded is decoded, whatever happens to the table or fails in between", () => {
  let failures = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const encoder = new HpackEncoder(INDEX);
      const decoder = new HpackDecoder(
        { tableBytesMax: TABLE_BYTES, headerBytesMax: 2 ** 20, fieldsMax: 1_000 },
        HUFFMAN,
      );
      const lists: string[][] = [];
      const roundTrip = (headers: string[], block: Buffer): void => {
        const bytes = Buffer.from(block);
        expect(decoder.decode(bytes, 0, bytes.length)).toMatchObject({ headers, fault: "" });
      };
      for (const one of steps) {
        if (one.do === "limit") encoder.limitTable(one.bytes);
        else if (one.do === "fail") {
          expect(() => encoder.trailers(one.headers)).toThrow(FieldError);
          failures += 1;
        } else if (one.do === "again") {
          const headers = lists.at(-1 - one.which);
          if (headers !== undefined) roundTrip(headers, encoder.response(200, headers));
        } else {
          lists.push(one.headers);
          const { headers } = one;
          if (one.do === "response") roundTrip(headers, encoder.response(200, headers));
          else if (one.do === "trailers") roundTrip(headers, encoder.trailers(headers));
          else {
            const path = `/${headers.length}`;
            roundTrip(headers, encoder.request({ method: "POST", scheme: "http", path, authority: "a", headers }));
          }
        }
      }
    }),
    { numRuns: 500 },
  );
  expect(failures).toBeGreaterThan(100);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonBodyError } from "./json-decoder.ts";
import { decodeBulkGetBody, decodeSaveBody, decodeTransactionBody } from "./json-state.ts";

const item = fc.record(
  {
    key: fc.string({ unit: "grapheme", minLength: 1 }),
    value: fc.jsonValue(),
    etag: fc.option(fc.string(), { nil: null }),
    metadata: fc.option(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), { nil: null }),
    options: fc.record({ concurrency: fc.string(), consistency: fc.string() }, { requiredKeys: [] }),
    unknown: fc.jsonValue(),
  },
  { requiredKeys: ["key", "value"] },
);

test("a body of saves that JSON.parse accepts is accepted, and its values mean the same", () => {
  fc.assert(
    fc.property(fc.array(item), fc.constantFrom(undefined, 1, "\t"), (items, space) => {
      const text = JSON.stringify(items, undefined, space);
      const parsed = JSON.parse(text) as { key: string; value: unknown }[];
      const decoded = decodeSaveBody(Buffer.from(text), {});
      expect(
        decoded.map(({ key, value }) => ({ key, value: JSON.parse(Buffer.from(value).toString()) as unknown })),
      ).toEqual(parsed.map(({ key, value }) => ({ key, value })));
    }),
  );
});

/** Bodies cut short, or with one character replaced: Dapr reads the first value and ignores what is behind it. */
const broken = fc
  .tuple(fc.array(item, { minLength: 1 }), fc.nat(), fc.constantFrom("", "]", "}", '"', ",", "\\", "x", "1", "\u0001"))
  .map(([items, seed, character]) => {
    const text = JSON.stringify(items);
    const at = seed % text.length;
    return character === "" ? text.slice(0, at) : text.slice(0, at) + character + text.slice(at + 1);
  });

function someBeginningParses(text: string): boolean {
  for (let end = text.length; end > 0; end -= 1) {
    try {
      JSON.parse(text.slice(0, end));
      return true;
    } catch {
      // A shorter beginning may be a whole value.
    }
  }
  return false;
}

test("a broken body is refused, and never with anything but JsonBodyError", () => {
  fc.assert(
    fc.property(broken, (text) => {
      let refusal: unknown;
      try {
        decodeSaveBody(Buffer.from(text), {});
      } catch (error) {
        refusal = error;
      }
      if (refusal === undefined) {
        expect(someBeginningParses(text)).toBe(true);
      } else {
        expect(refusal).toBeInstanceOf(JsonBodyError);
      }
    }),
    { numRuns: 500 },
  );
});

test("no bytes and no JSON crash a decoder", () => {
  const bytes = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .array(fc.record({ operation: fc.jsonValue(), request: fc.jsonValue() }))
      .map((operations) => Buffer.from(JSON.stringify({ operations, keys: operations, metadata: operations[0] }))),
  );
  fc.assert(
    fc.property(bytes, fc.constantFrom(decodeSaveBody, decodeBulkGetBody, decodeTransactionBody), (body, decode) => {
      try {
        decode(body, {});
      } catch (error) {
        expect(error).toBeInstanceOf(JsonBodyError);
      }
    }),
    { numRuns: 1_000 },
  );
});

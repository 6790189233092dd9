import { fromBinary, fromJson, type JsonValue, toBinary, toJsonString } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readJsonValue, writeJsonValue } from "./json-value.ts";

const json = fc.jsonValue({ maxDepth: 5, stringUnit: "binary" }) as fc.Arbitrary<JsonValue>;
/** The general codec, which decides. */
const generalBytes = (value: JsonValue): Uint8Array => toBinary(ValueSchema, fromJson(ValueSchema, value));
const generalText = (bytes: Uint8Array): string => toJsonString(ValueSchema, fromBinary(ValueSchema, bytes));
const nested = (depth: number): JsonValue => (depth === 0 ? 1 : [nested(depth - 1)]);

it("writes what the general codec writes", () => {
  fc.assert(
    fc.property(json, (value) => {
      const written = writeJsonValue(value);
      fc.pre(written !== undefined);
      expect(Buffer.from(written)).toEqual(Buffer.from(generalBytes(value)));
    }),
  );
});

it("reads what the general codec reads", () => {
  fc.assert(
    fc.property(json, (value) => {
      const bytes = generalBytes(value);
      const read = readJsonValue(bytes);
      fc.pre(read !== undefined);
      expect(JSON.stringify(read)).toBe(generalText(bytes));
    }),
  );
});

it("whatever the bytes are, leaves them to the general codec or agrees with it", () => {
  fc.assert(
    fc.property(json, fc.nat(), fc.uint8Array({ maxLength: 4 }), (value, at, garbage) => {
      const bytes = Buffer.from(generalBytes(value));
      const cut = at % (bytes.length + 1);
      const broken = Buffer.concat([bytes.subarray(0, cut), garbage, bytes.subarray(cut + garbage.length)]);
      const read = readJsonValue(broken);
      if (read !== undefined) {
        expect(JSON.stringify(read)).toBe(generalText(broken));
      }
    }),
  );
});

it.each<JsonValue>([null, true, false, 0, -0, 1.5, "", "é", {}, [], { a: { b: [null, { "": "x" }] } }, { 2: 1, 1: 2 }])(
  "leaves nothing ordinary to the general codec: %j",
  (value) => {
    const written = Buffer.from(writeJsonValue(value) ?? []);
    expect(written).toEqual(Buffer.from(generalBytes(value)));
    expect(JSON.stringify(readJsonValue(written))).toBe(JSON.stringify(value));
  },
);

it.each<[string, JsonValue]>([
  ["half a surrogate pair", "\ud800"],
  ["a number that is none", Number.POSITIVE_INFINITY],
  ["__proto__", JSON.parse('{"__proto__":1}') as JsonValue],
  ["many values in each other", nested(80)],
])("leaves %s to the general codec", (_, value) => {
  expect(writeJsonValue(value)).toBeUndefined();
});

it("leaves a value without a kind, and one that is nested deeply, to the general codec", () => {
  expect([readJsonValue(new Uint8Array(0)), readJsonValue(generalBytes(nested(80)))]).toEqual([undefined, undefined]);
});

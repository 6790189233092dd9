import fc from "fast-check";
import { expect, it } from "vitest";
import { compactJson } from "./json-compact.ts";

const compact = (text: string): string => Buffer.from(compactJson(Buffer.from(text))).toString();

it("keeps the value, and neither space nor what matters in HTML", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom("", " ", "\t", "\n  "), (value, indent) => {
      const text = compact(JSON.stringify(value, null, indent));
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(compact(text)).toBe(text);
      expect(text).not.toMatch(/[<>&]/);
    }),
  );
});

it.each([
  ['{  "foo": [ 12, 4 ] }', '{"foo":[12,4]}'],
  ['"a \\" b <&>"', '"a \\" b \\u003c\\u0026\\u003e"'],
])("%j", (given, expected) => expect(compact(given)).toBe(expected));

import fc from "fast-check";
import { expect, test } from "vitest";
import { readJsonMembers, stringMember, writeJsonMembers } from "./json-members.ts";

const object = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue());

test("what is read and written again is the same object, its members sorted", () => {
  fc.assert(
    fc.property(object, (value) => {
      const members = readJsonMembers(Buffer.from(JSON.stringify(value)));
      expect(members).toBeDefined();
      const written = writeJsonMembers(members ?? new Map()).toString();
      expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(value)));
      const names = [...(readJsonMembers(Buffer.from(written))?.keys() ?? [])];
      expect(names).toEqual([...names].sort());
    }),
  );
});

test("a member that holds a string gives it, any other nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.jsonValue(), (name, value) => {
      const members = readJsonMembers(Buffer.from(JSON.stringify(Object.fromEntries([[name, value]]))));
      const expected = typeof value === "string" ? value : undefined;
      expect(stringMember(members ?? new Map(), name)).toBe(expected);
      expect(stringMember(members ?? new Map(), `${name}?`)).toBeUndefined();
    }),
  );
});

test("numbers and escapes pass as they were written", () => {
  const json = '{"a":1.0e+5,"b":"\\u00e9","n":12345678901234567890}';
  expect(writeJsonMembers(readJsonMembers(Buffer.from(json)) ?? new Map()).toString()).toBe(json);
});

test("what is no object has no members, and what is no JSON is refused", () => {
  expect(readJsonMembers(Buffer.from("[1]"))).toBeUndefined();
  expect(() => readJsonMembers(Buffer.from("{"))).toThrow(
    expect.objectContaining({ name: "JsonSyntaxError" }) as Error,
  );
});

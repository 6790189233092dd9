import { expect, test } from "vitest";
import { ESCAPE_LAYERS_MAX, hasReadings, pathReadings, READ_CHARACTERS_MAX } from "./path-readings.ts";

test.each([
  ["admin%2Fpublic", ["admin%2Fpublic", "admin/public"]],
  ["%61dmin", ["%61dmin", "admin"]],
  ["%2561dmin", ["%2561dmin", "%61dmin", "admin"]],
  ["x%2F..%2Fadmin", ["x%2F..%2Fadmin", "admin"]],
  ["public;a=1/b;c", ["public;a=1/b;c", "public/b"]],
  ["x\\..\\admin", ["x\\..\\admin", "admin"]],
  ["admin%00.png", ["admin%00.png", "admin\0.png", "admin"]],
  ["admin%3Fx%23", ["admin%3Fx%23", "admin?x#", "admin"]],
  ["a%C0%AFb", ["a%C0%AFb", "a/b"]],
  ["a%e0%80%afb", ["a%e0%80%afb", "a/b"]],
  ["a%F0%80%81%A1b", ["a%F0%80%81%A1b", "aab"]],
  ["%C1%A1dmin", ["%C1%A1dmin", "admin"]],
  ["%C3%BCber", ["%C3%BCber", "über"]],
  ["50%", ["50%"]],
])("%s may be %j", (path, expected) => {
  expect(hasReadings(path)).toBe(true);
  expect(pathReadings(path)).toEqual(expected);
});

test("most paths have one reading", () => {
  expect(hasReadings("orders/1/lines")).toBe(false);
});

test("as many layers are read as are allowed, and no more", () => {
  const layers = (count: number): string => `%${"25".repeat(count)}41`;
  expect(pathReadings(layers(ESCAPE_LAYERS_MAX - 1))?.at(-1)).toBe("A");
  expect(pathReadings(layers(ESCAPE_LAYERS_MAX))).toBeUndefined();
});

test("a path that is too long to be read is not", () => {
  const path = "a;".repeat(READ_CHARACTERS_MAX / 2);
  expect(pathReadings(path)).toHaveLength(2);
  expect(pathReadings(`${path}a`)).toBeUndefined();
});

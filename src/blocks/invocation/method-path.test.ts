import { expect, test } from "vitest";
import { canonicalInvocation, canonicalMethod, METHOD_CHARACTERS_MAX } from "./method-path.ts";

test.each([
  ["mymethod", "mymethod"],
  ["api/v1/users", "api/v1/users"],
  ["/foo/", "foo"],
  ["//a//b", "a/b"],
  ["admin/../public", "public"],
  ["../../etc/passwd", "etc/passwd"],
  ["a/../..", ""],
  [".", ""],
  ["test%stream", "test%stream"],
  ['test"*\\stream', 'test"*\\stream'],
])("%s is %s", (method, canonical) => {
  expect(canonicalMethod(method)).toBe(canonical);
});

test.each([
  ["test#stream", 'method contains forbidden character: "test#stream"'],
  ["a?b", 'method contains forbidden character: "a?b"'],
  ["a\tb\0", 'method contains forbidden character: "a\\tb\\x00"'],
  ["tést\tstream", 'method contains control character at position 5: "tést\\tstream"'],
  ["a\x7f", 'method contains control character at position 1: "a\\x7f"'],
])("%j is refused", (method, message) => {
  expect(() => canonicalMethod(method)).toThrow(message);
});

test.each([
  ["/foo/", "/foo"],
  ["//a/../b", "/b"],
  ["/", "/"],
  ["/..", "/"],
  ["foo", "foo"],
])("as a method that is invoked, %s is %s", (method, canonical) => {
  expect(canonicalInvocation(method)).toBe(canonical);
});

test("a method that is too long is refused", () => {
  expect(canonicalMethod("a".repeat(METHOD_CHARACTERS_MAX))).toHaveLength(METHOD_CHARACTERS_MAX);
  expect(() => canonicalMethod("a".repeat(METHOD_CHARACTERS_MAX + 1))).toThrow(
    "method has 65537 characters, more than the limit of 65536",
  );
});

test("a message repeats only the beginning of a long method", () => {
  expect(() => canonicalMethod(`${"a".repeat(5000)}#`)).toThrow(
    `method contains forbidden character: "${"a".repeat(1024)}…"`,
  );
});

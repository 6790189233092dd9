import { expect, test } from "vitest";
import { canonicalMethod } from "./method-path.ts";

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

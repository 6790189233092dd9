import { expect, test } from "vitest";
import { methodTarget } from "./method-target.ts";

test.each([
  ["", "", "/"],
  ["a/b", "x=1&y", "/a/b?x=1&y"],
  ["/a/b", "", "/a/b"],
  ["/a b", "", "/a%20b"],
  ['test"stream', "", "/test%22stream"],
  ["test\\stream", "", "/test%5Cstream"],
  ["a b/ü*", "", "/a%20b/%C3%BC*"],
  ["[id]:@!$'()+,=", "", "/[id]:@!$'()+,="],
  ["files%2Fone", "", "/files%2Fone"],
  ["%41", "", "/%41"],
  ["public/%2e%2e/admin", "", "/public/%252e%252e/admin"],
  ["a%2f..%2fb", "", "/a%252f..%252fb"],
  ["a/%252e%252e/b", "", "/a/%25252e%25252e/b"],
  ["a/%252525", "", "/a/%252525"],
])("%s with %s is %s", (method, query, target) => {
  expect(methodTarget(method, query)).toBe(target);
});

test("a percent sign that begins no escape is an error, as in Go's URL parser", () => {
  expect(() => methodTarget("test%stream", "")).toThrow('invalid URL escape "%st"');
  expect(() => methodTarget("test%", "")).toThrow('invalid URL escape "%"');
});

test("escapes in layers beyond counting are read in one go", () => {
  const layers = `%${"25".repeat(100_000)}`;
  expect(methodTarget(`a/${layers}2e/b`, "")).toBe(`/a/%25${layers.slice(1)}2e/b`);
  expect(methodTarget(`a/${layers}41/b`, "")).toBe(`/a/${layers}41/b`);
});

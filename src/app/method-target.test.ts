import { expect, test } from "vitest";
import { methodTarget } from "./method-target.ts";

test.each([
  ["", "", "/"],
  ["a/b", "x=1&y", "/a/b?x=1&y"],
  ['test"stream', "", "/test%22stream"],
  ["test\\stream", "", "/test%5Cstream"],
  ["a b/ü*", "", "/a%20b/%C3%BC*"],
  ["[id]:@!$'()+,=", "", "/[id]:@!$'()+,="],
  ["files%2Fone", "", "/files%2Fone"],
  ["%41", "", "/%41"],
  ["public/%2e%2e/admin", "", "/public/%252e%252e/admin"],
  ["a%2f..%2fb", "", "/a%252f..%252fb"],
  ["a/%252e%252e/b", "", "/a/%25252e%25252e/b"],
])("%s with %s is %s", (method, query, target) => {
  expect(methodTarget(method, query)).toBe(target);
});

test("a percent sign that begins no escape is an error, as in Go's URL parser", () => {
  expect(() => methodTarget("test%stream", "")).toThrow('invalid URL escape "%st"');
  expect(() => methodTarget("test%", "")).toThrow('invalid URL escape "%"');
});

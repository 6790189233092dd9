import { expect, it } from "vitest";
import { checkActorName, isReservedType } from "./actor-name.ts";

it.each(["", "a", "a b", "a%2Fb", "...", "ä"])("%j is a name", (name) => {
  expect(() => checkActorName(name)).not.toThrow();
});

it.each([
  ["a/b", 'name contains forbidden character: "a/b"'],
  ["a\\b", 'name contains forbidden character: "a\\\\b"'],
  ["a?", 'name contains forbidden character: "a?"'],
  ["ä\rb", 'name contains control character at position 2: "ä\\rb"'],
  ["..", 'name is a path traversal sequence: ".."'],
])("%j is none", (name, reason) => expect(() => checkActorName(name)).toThrow(reason));

it("knows the types of the workflow engine", () => {
  expect([isReservedType("dapr.internal.default.app.workflow"), isReservedType("dapr")]).toEqual([true, false]);
});

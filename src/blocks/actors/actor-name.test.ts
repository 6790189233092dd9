import { expect, it } from "vitest";
import { checkActorName, checkNameLengths, isReservedType } from "./actor-name.ts";
import { NAME_CHARS_MAX } from "./limits.ts";

const LONG = "a".repeat(NAME_CHARS_MAX + 1);

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

it("has a length", () => {
  expect(() => checkActorName("a".repeat(NAME_CHARS_MAX))).not.toThrow();
  expect(() => checkActorName("a".repeat(NAME_CHARS_MAX + 1))).toThrow(
    "name has 1025 characters, and 1024 is the limit; use a shorter one",
  );
});

it.each([
  [{ type: LONG, id: "a" }, "n", "actor type has 1025 characters"],
  [{ type: "t", id: LONG }, "n", "actor id has 1025 characters"],
  [{ type: "t", id: "a" }, LONG, "name has 1025 characters"],
])("each name of a tick has a length", (ref, name, reason) => {
  expect(() => checkNameLengths(ref, name)).toThrow(reason);
});

it("knows the types of the workflow engine", () => {
  expect([isReservedType("dapr.internal.default.app.workflow"), isReservedType("dapr")]).toEqual([true, false]);
});

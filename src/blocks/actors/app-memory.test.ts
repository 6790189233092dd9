import { expect, it } from "vitest";
import { AppMemory } from "./app-memory.ts";

it("an app as old as its sidecar remembers what it could not be told of, until it has been", () => {
  const memory = new AppMemory({ isOlder: false });
  expect(memory.mayHold("a")).toBe(false);
  memory.missed("a");
  expect([memory.mayHold("a"), memory.mayHold("b")]).toEqual([true, false]);
  memory.forgot("a");
  expect(memory.mayHold("a")).toBe(false);
});

it("an older app may remember whatever it was not told of", () => {
  const memory = new AppMemory({ isOlder: true });
  expect(memory.mayHold("a")).toBe(true);
  memory.forgot("a");
  expect([memory.mayHold("a"), memory.mayHold("b")]).toEqual([false, true]);
  memory.missed("a");
  expect(memory.mayHold("a")).toBe(true);
});

it("what it was told of longest ago is no longer known beyond a number, and may be remembered", () => {
  const memory = new AppMemory({ isOlder: true, toldMax: 2 });
  for (const key of ["a", "b", "a", "c"]) {
    memory.forgot(key);
  }
  expect(["a", "b", "c"].map((key) => memory.mayHold(key))).toEqual([false, true, false]);
});

it("with too much that it could not be told of, an app counts as older", () => {
  const memory = new AppMemory({ isOlder: false, untoldMax: 2 });
  memory.missed("a");
  memory.missed("b");
  expect(memory.mayHold("d")).toBe(false);
  memory.missed("c");
  expect(["a", "b", "c", "d"].map((key) => memory.mayHold(key))).toEqual([true, true, true, true]);
  memory.forgot("d");
  expect(memory.mayHold("d")).toBe(false);
});

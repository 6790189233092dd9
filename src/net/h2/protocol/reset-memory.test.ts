import { expect, test } from "vitest";
import { RESET_MEMORY } from "../limits.ts";
import { ResetMemory } from "./reset-memory.ts";

test("DATA on a stream in reset is taken as far as its window went", () => {
  const memory = new ResetMemory();
  memory.add(5, 100);
  expect([memory.spend(5, 60), memory.spend(5, 40), memory.spend(7, 1)]).toEqual([true, true, false]);
  expect(() => memory.spend(5, 1)).toThrow(expect.objectContaining({ kind: "flow_control_error" }));
});

test("the oldest is forgotten for the newest", () => {
  const memory = new ResetMemory();
  for (let id = 0; id <= RESET_MEMORY; id += 1) memory.add(id, 0);
  expect([memory.has(0), memory.has(1), memory.has(RESET_MEMORY)]).toEqual([false, true, true]);
});

import { expect, test } from "vitest";
import { REMEMBERED_MARKERS_MAX, TransactionMemory } from "./transaction-memory.ts";

test("a marker waits for its transaction, and then knows how it ended", async () => {
  const memory = new TransactionMemory();
  const settle = memory.begin(["a", "b"]);
  const waiting = memory.fateOf("a");
  settle("rejected");
  expect(await waiting).toBe("rejected");
  expect(memory.fateOf("b")).toBe("rejected");
});

test("a marker of nobody's is unknown", () => {
  expect(new TransactionMemory().fateOf("other")).toBe("unknown");
});

test("the oldest markers are forgotten, and whoever waits for one is still told", async () => {
  const memory = new TransactionMemory();
  const settle = memory.begin(["first"]);
  const waiting = memory.fateOf("first");
  for (let index = 0; index < REMEMBERED_MARKERS_MAX; index += 1) {
    memory.note(`marker-${index}`, "relayed");
  }
  expect(memory.fateOf("first")).toBe("unknown");
  expect(memory.fateOf("marker-0")).toBe("relayed");
  settle("committed");
  expect(await waiting).toBe("committed");
});

import { expect, it } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { BATCH_PATHS_MAX, ChangeBatch, HELD_MS_MAX, QUIET_MS } from "./change-batch.ts";

function batch() {
  const clock = new VirtualClock();
  const told: (readonly string[])[] = [];
  return { clock, told, changes: new ChangeBatch(clock, (paths) => void told.push(paths)) };
}

it("tells once it is quiet, each path once", () => {
  const { clock, told, changes } = batch();
  changes.add("a");
  clock.advance(QUIET_MS - 1);
  changes.add("b");
  changes.add("a");
  clock.advance(QUIET_MS - 1);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual([["a", "b"]]);
  clock.advance(HELD_MS_MAX);
  expect(told).toHaveLength(1);
  expect(clock.pendingTimers).toBe(0);
});

it("tells after a second when it never gets quiet", () => {
  const { clock, told, changes } = batch();
  for (let ms = 0; ms < HELD_MS_MAX; ms += 50) {
    changes.add("a");
    clock.advance(50);
  }
  expect(told).toEqual([["a"]]);
});

it("names the first of very many", () => {
  const { clock, told, changes } = batch();
  for (let i = 0; i < 2 * BATCH_PATHS_MAX; i += 1) {
    changes.add(`f${i}`);
  }
  clock.advance(QUIET_MS);
  expect(told[0]).toHaveLength(BATCH_PATHS_MAX);
});

it("tells nothing any more when closed", () => {
  const { clock, told, changes } = batch();
  changes.add("a");
  changes.close();
  changes.add("b");
  clock.advance(HELD_MS_MAX);
  expect(told).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});

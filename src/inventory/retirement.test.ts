import { expect, it } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { DRAIN_MS_MAX, Retirement } from "./retirement.ts";

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function bench() {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const journal: string[] = [];
  const settled = Promise.withResolvers<void>();
  const retirement = new Retirement(clock, stop.signal);
  void retirement.add(
    settled.promise,
    async () => void journal.push("closed"),
    () => journal.push("late"),
  );
  return { clock, stop, journal, settled, retirement };
}

it("closes when all has settled, and leaves no timer", async () => {
  const { clock, journal, settled, retirement } = bench();
  await settle();
  expect(journal).toEqual([]);
  expect(retirement.size).toBe(1);
  settled.resolve();
  await retirement.ended();
  expect(journal).toEqual(["closed"]);
  expect(retirement.size).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

it("does not wait longer than it may, and says so", async () => {
  const { clock, journal, retirement } = bench();
  await settle();
  clock.advance(DRAIN_MS_MAX);
  await retirement.ended();
  expect(journal).toEqual(["late", "closed"]);
});

it("waits for nothing when the sidecar closes", async () => {
  const { stop, journal, retirement } = bench();
  stop.abort();
  await retirement.ended();
  expect(journal).toEqual(["closed"]);
});

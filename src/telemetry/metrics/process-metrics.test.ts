import { expect, it } from "vitest";
import { systemClock } from "../../kit/system-clock.ts";
import { ownProcess } from "./process-metrics.ts";

it("tells how long the event loop was held up since the last look, and how busy it was", () => {
  const facts = ownProcess(systemClock);
  expect(facts.loopDelay()).toEqual({ mean: 0, p99: 0, max: 0 });
  expect(facts.loopUtilization()).toBeGreaterThanOrEqual(0);
  expect(facts.loopUtilization()).toBeLessThanOrEqual(1);
  expect(facts.heapTotalBytes()).toBeGreaterThan(facts.heapUsedBytes() / 2);
  expect(facts.externalBytes()).toBeGreaterThan(0);
});

import { expect, it } from "vitest";
import { createHealth } from "../../../blocks/control/health.ts";
import { silentLogger } from "../../../kit/silent-logger.ts";
import { VirtualClock } from "../../../kit/virtual-clock.fixture.ts";
import { Agreement } from "./agreement.ts";

it("turns health red when the members have not agreed for a while, and green when they have", () => {
  const clock = new VirtualClock();
  const health = createHealth();
  const agreement = new Agreement({ health: health.addTarget("members"), clock, logger: silentLogger });
  expect([health.isReady, agreement.members]).toEqual([true, 0]);
  clock.advance(9_000);
  agreement.reached(3);
  agreement.lost();
  clock.advance(9_000);
  agreement.lost();
  expect(health.isReady).toBe(true);
  clock.advance(1_000);
  expect(health.isReady).toBe(false);
  agreement.reached(2);
  expect([health.isReady, agreement.members]).toEqual([true, 2]);
  clock.advance(60_000);
  expect(health.isReady).toBe(true);
  agreement.close();
  expect([health.isReady, clock.pendingTimers]).toEqual([false, 0]);
});

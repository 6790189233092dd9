import { expect, it } from "vitest";
import { VirtualClock } from "../../../kit/virtual-clock.fixture.ts";
import { PACE_MS, TRIGGERS_PER_TURN, UNSETTLED_MANY } from "../limits.ts";
import { DueTimer } from "./due-timer.ts";
import { JobEntry } from "./job-entry.ts";
import { NO_PROGRESS } from "../jobs/job-times.ts";

const PLAN: ConstructorParameters<typeof JobEntry>[2] = {
  partitionId: 0n,
  target: "app||ns||app||",
  namespace: "ns",
  actorType: undefined,
  concurrencyKey: undefined,
  times: { startMs: 0 },
  rule: { kind: "drop" },
};

const MANY = 1_000;

it("hands out no faster than results are stored, and goes on when few are left", () => {
  const clock = new VirtualClock();
  const underWay = { sent: 0, storing: 0 };
  const timer = new DueTimer(
    clock,
    () => underWay,
    () => void (underWay.sent += 1),
  );
  for (let revision = 0; revision < MANY; revision += 1) {
    timer.add(new JobEntry(`job-${revision}`, revision, PLAN, NO_PROGRESS, clock.now()));
  }
  clock.advance(0);
  const burst = underWay.sent;
  expect(burst).toBeGreaterThan(UNSETTLED_MANY);
  expect(burst).toBeLessThanOrEqual(UNSETTLED_MANY + TRIGGERS_PER_TURN);
  clock.advance(PACE_MS - 1);
  expect(underWay.sent).toBe(burst);
  clock.advance(1);
  expect(underWay.sent).toBe(burst + TRIGGERS_PER_TURN);
  underWay.sent = UNSETTLED_MANY / 2;
  timer.settled();
  clock.advance(0);
  expect(underWay.sent).toBeGreaterThan(UNSETTLED_MANY);
  expect(timer.waitMs).toBe(PACE_MS);
  timer.stop();
  expect(clock.pendingTimers).toBe(0);
});

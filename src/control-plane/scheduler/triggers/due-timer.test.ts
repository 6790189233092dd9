import { expect, it } from "vitest";
import { VirtualClock } from "../../../kit/virtual-clock.fixture.ts";
import { PACE_MS, TRIGGERS_PER_TURN, TRIGGERS_PER_TURN_JAMMED, UNSETTLED_MANY } from "../limits.ts";
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

/** A timer over many jobs that are due now; what it hands out counts as sent. */
function manyDue(sent: number, isJam: boolean) {
  const clock = new VirtualClock();
  const underWay = { sent, storing: 0, isJam };
  const timer = new DueTimer(
    clock,
    () => underWay,
    () => void (underWay.sent += 1),
  );
  for (let revision = 0; revision < MANY; revision += 1) {
    timer.add(new JobEntry(`job-${revision}`, revision, PLAN, NO_PROGRESS, clock.now()));
  }
  return { clock, underWay, timer };
}

it("in a jam hands out one at a time until few are left", () => {
  const { clock, underWay, timer } = manyDue(UNSETTLED_MANY, true);
  clock.advance(0);
  expect(underWay.sent).toBe(UNSETTLED_MANY + TRIGGERS_PER_TURN_JAMMED);
  clock.advance(PACE_MS);
  expect(underWay.sent).toBe(UNSETTLED_MANY + 2 * TRIGGERS_PER_TURN_JAMMED);
  underWay.sent = UNSETTLED_MANY / 2;
  timer.settled();
  clock.advance(0);
  expect(underWay.sent).toBeGreaterThanOrEqual(UNSETTLED_MANY);
  timer.stop();
});

it("hands out no faster than results are stored, and goes on when few are left", () => {
  const { clock, underWay, timer } = manyDue(0, false);
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

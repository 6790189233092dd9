import { describe, expect, it } from "vitest";
import { parseCron } from "../../../kit/cron.ts";
import { afterFailure, afterSuccess, type JobTimes, nextDue, NO_PROGRESS, type Progress } from "./job-times.ts";

const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const EVERY_SECOND = parseCron("@every 1s", "UTC", "job");

function times(more: Partial<JobTimes> = {}): JobTimes {
  return { startMs: START_MS, cron: EVERY_SECOND, ...more };
}

const ONCE: JobTimes = { startMs: 0, dueMs: START_MS };

describe("when a job is due", () => {
  it("is once at its due time without a schedule", () => {
    expect(nextDue(ONCE, NO_PROGRESS)).toBe(START_MS);
    expect(afterSuccess(ONCE, NO_PROGRESS).dueMs).toBeUndefined();
  });

  it("is not at the start of a schedule, and is at its due time", () => {
    expect(nextDue(times(), NO_PROGRESS)).toBe(START_MS + 1_000);
    expect(nextDue(times({ dueMs: START_MS + 7 }), NO_PROGRESS)).toBe(START_MS + 7);
  });

  it("goes on from when the last trigger was due, however late it was", () => {
    const { progress, dueMs } = afterSuccess(times(), NO_PROGRESS);
    expect(progress).toEqual({ count: 1, lastMs: START_MS + 1_000, attempts: 0 });
    expect(dueMs).toBe(START_MS + 2_000);
  });

  it("ends with its repeats", () => {
    const twice = times({ repeats: 2 });
    const first = afterSuccess(twice, NO_PROGRESS);
    expect(first.dueMs).toBe(START_MS + 2_000);
    expect(afterSuccess(twice, first.progress).dueMs).toBeUndefined();
  });

  it("ends with its life: a trigger at that very moment is the last", () => {
    const short = times({ expirationMs: START_MS + 2_000 });
    const first = afterSuccess(short, NO_PROGRESS);
    expect(first.dueMs).toBe(START_MS + 2_000);
    expect(afterSuccess(short, first.progress).dueMs).toBeUndefined();
  });

  it("rounds up what is finer than a millisecond", () => {
    const fine = times({ cron: parseCron("@every 1500us", "UTC", "job") });
    expect(nextDue(fine, NO_PROGRESS)).toBe(START_MS + 2);
  });
});

describe("after a failure", () => {
  const retry = { kind: "retry", intervalMs: 5_000, retriesMax: 2 } as const;

  it("is dropped where that is the rule", () => {
    expect(afterFailure(times(), { kind: "drop" }, NO_PROGRESS, START_MS + 1_000)).toEqual({
      progress: { count: 1, lastMs: START_MS + 1_000, attempts: 0 },
      dueMs: START_MS + 2_000,
    });
    expect(afterFailure(ONCE, { kind: "drop" }, NO_PROGRESS, START_MS).dueMs).toBeUndefined();
  });

  it("is tried again after the interval, as often as the rule says, and does not move the schedule", () => {
    let progress: Progress = NO_PROGRESS;
    let dueMs = START_MS + 1_000;
    for (const expected of [START_MS + 6_000, START_MS + 11_000]) {
      const next = afterFailure(times(), retry, progress, dueMs);
      expect(next.dueMs).toBe(expected);
      ({ progress } = next);
      dueMs = expected;
    }
    expect(progress.attempts).toBe(2);
    expect(afterFailure(times(), retry, progress, dueMs)).toEqual({
      progress: { count: 1, lastMs: START_MS + 1_000, attempts: 0 },
      dueMs: START_MS + 2_000,
    });
  });

  it("is tried again for ever without a limit", () => {
    const progress: Progress = { count: 0, lastMs: undefined, attempts: 1_000_000 };
    const rule = { kind: "retry", intervalMs: 0, retriesMax: undefined } as const;
    expect(afterFailure(ONCE, rule, progress, START_MS).dueMs).toBe(START_MS);
  });
});

import fc from "fast-check";
import { expect, it } from "vitest";
import { parseCron } from "../../../kit/cron.ts";
import { afterFailure, afterSuccess, type FailureRule, type JobTimes, nextDue, NO_PROGRESS } from "./job-times.ts";

const START_MS = Date.UTC(2026, 1, 27, 23, 50, 0);
const SECOND_MS = 1_000;
const HORIZON_S = 1_200;

/** Lists such as `3,17` or `*` for a unit. */
function field(min: number, max: number): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constant("*"),
    fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 4 }).map((values) => values.join(",")),
  );
}

const cronText = fc
  .tuple(field(0, 59), field(0, 59), field(0, 23), field(1, 31))
  .map(([second, minute, hour, day]) => `${second} ${minute} ${hour} ${day} * *`);

function matches(text: string, ms: number): boolean {
  const date = new Date(ms);
  const units = [date.getUTCSeconds(), date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate()];
  return text
    .split(" ")
    .slice(0, 4)
    .every(
      (unit, index) =>
        unit === "*" ||
        unit
          .split(",")
          .map(Number)
          .includes(units[index] ?? -1),
    );
}

it("is due at the next second that matches, found by trying each", () => {
  fc.assert(
    fc.property(cronText, fc.integer({ min: 0, max: 999 }), (text, offsetMs) => {
      const startMs = START_MS + offsetMs;
      const due = nextDue({ startMs, cron: parseCron(text, "UTC", "job") }, NO_PROGRESS);
      let expected: number | undefined;
      for (let second = 1; second <= HORIZON_S && expected === undefined; second += 1) {
        const at = START_MS + second * SECOND_MS;
        if (matches(text, at)) {
          expected = at;
        }
      }
      if (expected === undefined) {
        expect(due ?? Infinity).toBeGreaterThan(START_MS + HORIZON_S * SECOND_MS);
      } else {
        expect(due).toBe(expected);
      }
    }),
  );
});

/** A life of a job by its definition: the triggers of the schedule in order, cut by repeats and expiration. */
function lifeByDefinition(periodMs: number, { startMs, dueMs, repeats, expirationMs }: JobTimes): number[] {
  const due: number[] = [];
  for (let at = dueMs ?? startMs + periodMs; due.length < Math.min(repeats ?? 50, 50); at += periodMs) {
    if (expirationMs !== undefined && at > expirationMs) {
      break;
    }
    due.push(at);
  }
  return due;
}

it("lives as its definition says, whatever fails on the way", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.option(fc.integer({ min: -50_000, max: 50_000 }), { nil: undefined }),
      fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
      fc.option(fc.integer({ min: -1_000, max: 1_000_000 }), { nil: undefined }),
      fc.constantFrom<FailureRule>(
        { kind: "drop" },
        { kind: "retry", intervalMs: 7, retriesMax: 0 },
        { kind: "retry", intervalMs: 7, retriesMax: 2 },
      ),
      fc.array(fc.boolean(), { minLength: 200, maxLength: 200 }),
      (periodMs, dueOffset, repeats, life, rule, fails) => {
        const times: JobTimes = {
          startMs: START_MS,
          dueMs: dueOffset === undefined ? undefined : START_MS + dueOffset,
          repeats,
          expirationMs: life === undefined ? undefined : START_MS + life,
          cron: parseCron(`@every ${periodMs}ms`, "UTC", "job"),
        };
        const seen: number[] = [];
        let progress = NO_PROGRESS;
        let due = nextDue(times, progress);
        for (const fail of fails) {
          if (due === undefined || seen.length >= 50) {
            break;
          }
          if (progress.attempts === 0) {
            seen.push(due);
          }
          const next: { progress: typeof progress; dueMs: number | undefined } = fail
            ? afterFailure(times, rule, progress, due)
            : afterSuccess(times, progress);
          // What a restart would compute from what is stored is never later than what memory says.
          const restarted = nextDue(times, next.progress);
          if (next.dueMs !== undefined) {
            expect(restarted).toBeLessThanOrEqual(next.dueMs);
          } else {
            expect(restarted).toBeUndefined();
          }
          ({ progress } = next);
          due = next.dueMs;
        }
        expect(seen).toEqual(lifeByDefinition(periodMs, times).slice(0, seen.length));
        if (due === undefined) {
          expect(seen).toHaveLength(lifeByDefinition(periodMs, times).length);
        }
      },
    ),
  );
});

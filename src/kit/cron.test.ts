import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { InvalidScheduleError, parseCron } from "./cron.ts";

interface Row {
  readonly spec: string;
  readonly after: number;
  /** -1: never again. */
  readonly next: readonly number[] | null;
  readonly error?: string;
}

/** Made by github.com/dapr/kit/cron v0.18.3, without zones where it loses days (half-hour changes, skipped midnights). */
const TABLE = JSON.parse(readFileSync(new URL("testdata/cron.json", import.meta.url), "utf8")) as readonly Row[];

describe("parseCron", () => {
  it("is due when Go's cron package is, in many zones and around their changes", () => {
    const good = TABLE.filter((row) => row.error === undefined);
    expect(good.length).toBeGreaterThan(200);
    for (const { spec, after, next } of good) {
      const schedule = parseCron(spec, "UTC");
      const due: number[] = [];
      for (let at: number | undefined = after; at !== undefined && due.length < (next?.length ?? 0);) {
        at = schedule.next(at);
        due.push(at ?? -1);
      }
      expect(due, `${spec} after ${new Date(after).toISOString()}`).toEqual(next);
    }
  });

  it("refuses what Go's cron package refuses, in its words", () => {
    const bad = TABLE.filter((row) => row.error !== undefined);
    expect(bad.length).toBeGreaterThan(15);
    for (const { spec, error } of bad) {
      expect(() => parseCron(spec, "UTC"), spec).toThrow(new InvalidScheduleError(error));
    }
  });

  it("counts @every from the moment asked about, fractions of a second included", () => {
    expect(parseCron("@every 1s", "UTC").next(1_500)).toBe(2_500);
    expect(parseCron("@every 1h30m", "Asia/Tokyo").next(0)).toBe(5_400_000);
  });

  it.each(["@every 0s", "@every -1s", "@every 1us", "TZ=UTC", "CRON_TZ="])(
    "refuses %s, which Go runs into the ground with",
    (spec) => {
      expect(() => parseCron(spec, "UTC")).toThrow(InvalidScheduleError);
    },
  );

  it("refuses a zone where there is no wall clock for it, and one without a schedule", () => {
    expect(() => parseCron("CRON_TZ=Europe/Rome @every 1h", "UTC")).toThrow(
      "timezone is not supported for @every schedules: CRON_TZ=Europe/Rome @every 1h",
    );
    expect(() => parseCron("TZ=UTC", "UTC")).toThrow("timezone prefix TZ=UTC is not followed by a schedule");
  });

  it("wants all six fields of a job, which may be due without a pause", () => {
    expect(() => parseCron("0 9 * * *", "UTC", "job")).toThrow("expected exactly 6 fields, found 5: [0 9 * * *]");
    expect(parseCron("@every 0s", "UTC", "job").next(7)).toBe(7);
    expect(() => parseCron("@every -1s", "UTC", "job")).toThrow(InvalidScheduleError);
  });

  it("uses the zone it is given where the schedule names none", () => {
    const at = Date.UTC(2026, 0, 1, 0, 0, 0);
    expect(parseCron("0 9 * * *", "Asia/Tokyo").next(at - 1)).toBe(at);
    expect(parseCron("CRON_TZ=UTC 0 9 * * *", "Asia/Tokyo").next(at)).toBe(at + 9 * 3_600_000);
  });

  it("goes on after a midnight that does not exist", () => {
    const schedule = parseCron("CRON_TZ=America/Sao_Paulo 0 0 * * *", "UTC");
    const next = schedule.next(Date.UTC(2018, 10, 3, 12));
    expect(new Date(next ?? 0).toISOString()).toBe("2018-11-05T02:00:00.000Z");
  });

  it("leaves out a day that a zone skipped", () => {
    const schedule = parseCron("CRON_TZ=Pacific/Apia 0 12 30 12 *", "UTC");
    expect(new Date(schedule.next(Date.UTC(2011, 11, 1)) ?? 0).toISOString()).toBe("2012-12-29T22:00:00.000Z");
  });
});

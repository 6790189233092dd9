import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidScheduleError, parseCron } from "./cron.ts";

const value = (min: number, max: number) =>
  fc.oneof(
    fc.constant("*"),
    fc.integer({ min, max }).map(String),
    fc.integer({ min: 1, max }).map((step) => `*/${step}`),
    fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
  );

const fields = fc.tuple(value(0, 59), value(0, 59), value(0, 23), value(1, 12));
const moment = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1_000 + (seconds % 1_000));

describe("parseCron", () => {
  it("is next due at the first second that matches, in UTC", () => {
    const matches = (field: string, n: number, min: number): boolean => {
      const [range = "", step] = field.split("/");
      const [low, high] = range === "*" ? [min, Number.POSITIVE_INFINITY] : range.split("-").map(Number);
      const from = low ?? min;
      return n >= from && n <= (high ?? from) && (n - from) % Number(step ?? 1) === 0;
    };
    fc.assert(
      fc.property(fields, moment, ([second, minute, hour, month], after) => {
        const next = parseCron(`${second} ${minute} ${hour} * ${month} *`, "UTC").next(after);
        if (next === undefined) {
          throw new Error("a schedule of every day of some month is always due");
        }
        const at = new Date(next);
        expect(next).toBeGreaterThan(after);
        expect(
          matches(second, at.getUTCSeconds(), 0) &&
            matches(minute, at.getUTCMinutes(), 0) &&
            matches(hour, at.getUTCHours(), 0) &&
            matches(month, at.getUTCMonth() + 1, 1),
        ).toBe(true);
        expect(parseCron(`${second} ${minute} ${hour} * ${month} *`, "UTC").next(next - 1)).toBe(next);
      }),
      { numRuns: 200 },
    );
  });

  it("gives a schedule or an InvalidScheduleError for any text", () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .array(fc.constantFrom("*", "/", "-", ",", " ", "1", "59", "@", "every", "TZ=", "UTC", "?", "mon"), {
          maxLength: 12,
        })
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (spec) => {
        try {
          parseCron(spec, "UTC").next(0);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidScheduleError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

import { expect, it } from "vitest";
import { pointInTime } from "./point-in-time.ts";

const NOW = Date.UTC(2026, 0, 31, 12);

it.each([
  ["2026-02-01T00:00:00Z", Date.UTC(2026, 1, 1)],
  ["1h30m", NOW + 5_400_000],
  ["-5s", NOW - 5_000],
  ["0", NOW],
  ["1500us", NOW + 2],
  ["PT5S", NOW + 5_000],
  ["P1M", Date.UTC(2026, 2, 3, 12)],
  ["R0/PT5S", NOW + 5_000],
])("%s is a point in time", (text, expected) => {
  expect(pointInTime(text, NOW)).toBe(expected);
});

it.each([
  ["", "due time format not recognized"],
  ["soon", "due time format not recognized"],
  ["R2/PT5S", "repeats not supported for due time"],
  ["P9000Y", "the time is after the year 9999"],
  ["2540400h", NOW + 2_540_400 * 3_600_000],
])("%j: %s", (text, expected) => {
  expect(pointInTime(text, NOW)).toBe(expected);
});

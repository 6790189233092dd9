import { describe, expect, it } from "vitest";
import { parseRfc3339 } from "./rfc3339.ts";

describe("parseRfc3339", () => {
  it.each([
    ["2026-01-02T15:04:05Z", Date.UTC(2026, 0, 2, 15, 4, 5)],
    ["2026-01-02T15:04:05.25Z", Date.UTC(2026, 0, 2, 15, 4, 5, 250)],
    ["2026-01-02T15:04:05+01:30", Date.UTC(2026, 0, 2, 13, 34, 5)],
    ["2026-01-02T15:04:05-01:30", Date.UTC(2026, 0, 2, 16, 34, 5)],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
  ])("reads %s", (text, expected) => {
    expect(parseRfc3339(text)).toBe(expected);
  });

  it("rounds what is finer than a millisecond up, so that nothing is early", () => {
    expect(parseRfc3339("2026-01-02T15:04:05.000000001Z")).toBe(Date.UTC(2026, 0, 2, 15, 4, 5, 1));
    expect(parseRfc3339("2026-01-02T15:04:05.999999999Z")).toBe(Date.UTC(2026, 0, 2, 15, 4, 6));
    expect(parseRfc3339("2026-01-02T15:04:05.001000000Z")).toBe(Date.UTC(2026, 0, 2, 15, 4, 5, 1));
  });

  it.each([
    "",
    "2026-01-02",
    "2026-01-02 15:04:05Z",
    "2026-01-02T15:04:05",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-02T24:00:00Z",
    "2026-01-02T15:60:05Z",
    "2026-01-02T15:04:05z",
    "2026-01-02T15:04:05+25:00",
  ])("refuses %j", (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });
});

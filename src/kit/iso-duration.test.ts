import { describe, expect, it } from "vitest";
import { addIsoDuration, parseIsoDuration } from "./iso-duration.ts";

const NONE = { years: 0, months: 0, days: 0, ms: 0, repetitions: undefined };

describe("parseIsoDuration", () => {
  it.each([
    ["PT5S", { ...NONE, ms: 5_000 }],
    ["P1Y2M3W4DT5H6M7S", { years: 1, months: 2, days: 25, ms: 18_367_000, repetitions: undefined }],
    ["R3/PT1M", { ...NONE, ms: 60_000, repetitions: 3 }],
    ["R3", { ...NONE, repetitions: 3 }],
    ["PT", NONE],
  ])("reads %s", (text, expected) => {
    expect(parseIsoDuration(text)).toEqual(expected);
  });

  it.each(["", "P", "5s", "R/PT5S", "PT5", "P5H", "PT1.5S", "PTT5S", "Px"])("refuses %j", (text) => {
    expect(parseIsoDuration(text)).toBeUndefined();
  });
});

describe("addIsoDuration", () => {
  it("lets the days beyond a month's end run into the next", () => {
    const month = { ...NONE, months: 1 };
    expect(addIsoDuration(Date.UTC(2026, 0, 31, 12), month)).toBe(Date.UTC(2026, 2, 3, 12));
    expect(addIsoDuration(Date.UTC(2026, 11, 1), { ...month, ms: 1 })).toBe(Date.UTC(2027, 0, 1, 0, 0, 0, 1));
  });
});

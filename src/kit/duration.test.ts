import { describe, expect, it } from "vitest";
import { formatGoDuration, InvalidDurationError, parseGoDuration } from "./duration.ts";

describe("parseGoDuration", () => {
  it.each([
    ["0", 0],
    ["-0", 0],
    ["5s", 5_000],
    ["+1.5h", 5_400_000],
    ["-300ms", -300],
    ["1h2m3.5s", 3_723_500],
    [".5s", 500],
    ["1.s", 1_000],
    ["1us", 0.001],
    ["1\u00B5s", 0.001],
    ["1\u03BCs", 0.001],
    ["1ns", 0.000001],
    ["2562047h47m16.854775807s", 9_223_372_036_854.775],
  ])("reads %j", (text, ms) => {
    expect(parseGoDuration(text)).toBeCloseTo(ms, 9);
  });

  it.each([
    ["", 'time: invalid duration ""'],
    ["-", 'time: invalid duration "-"'],
    [".s", 'time: invalid duration ".s"'],
    ["5", 'time: missing unit in duration "5"'],
    ["1.", 'time: missing unit in duration "1."'],
    ["5d", 'time: unknown unit "d" in duration "5d"'],
    ['1"', 'time: unknown unit "\\"" in duration "1\\""'],
    ["1é", 'time: unknown unit "\\xc3\\xa9" in duration "1\\xc3\\xa9"'],
    ["9223372036854775808ns", 'time: invalid duration "9223372036854775808ns"'],
    ["3000000h", 'time: invalid duration "3000000h"'],
  ])("refuses %j in Go's words", (text, message) => {
    expect(() => parseGoDuration(text)).toThrow(new InvalidDurationError(message));
  });
});

describe("formatGoDuration", () => {
  it.each([
    [0, "0s"],
    [0.000001, "1ns"],
    [0.25, "250\u00B5s"],
    [1.5, "1.5ms"],
    [1_000, "1s"],
    [90_000, "1m30s"],
    [3_600_000, "1h0m0s"],
    [-5_000.5, "-5.0005s"],
    [86_400_000, "24h0m0s"],
  ])("writes %d ms", (ms, text) => {
    expect(formatGoDuration(ms)).toBe(text);
  });
});

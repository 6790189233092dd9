import fc from "fast-check";
import { expect, it } from "vitest";
import { formatGoDuration, InvalidDurationError, parseGoDuration } from "./duration.ts";

const WHOLE_MS_MAX = 1_000_000_000_000;

it("reads back what it wrote", () => {
  fc.assert(
    fc.property(fc.integer({ min: -WHOLE_MS_MAX, max: WHOLE_MS_MAX }), (ms) => {
      expect(parseGoDuration(formatGoDuration(ms))).toBe(ms + 0);
    }),
  );
});

it("keeps nanoseconds", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999 }), (ns) => {
      expect(Math.round(parseGoDuration(`${ns}ns`) * 1e6)).toBe(ns);
      expect(parseGoDuration(formatGoDuration(ns / 1e6))).toBeCloseTo(ns / 1e6, 9);
    }),
  );
});

it("never fails in another way than its own error", () => {
  const pieces = fc.array(
    fc.constantFrom("1", "0", ".", "-", "+", "h", "m", "s", "ns", "µs", "x", "é", "99999999999"),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(pieces, (parts) => {
      const text = parts.join("");
      try {
        expect(Number.isFinite(parseGoDuration(text))).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidDurationError);
      }
    }),
  );
});

import { expect, test } from "vitest";
import { expiryMs, ttlExpireTime } from "./ttl.ts";

const NOW = Date.UTC(2026, 0, 1);

test.each([
  [undefined, Infinity],
  ["", Infinity],
  ["0", Infinity],
  ["-1", Infinity],
  ["-500", Infinity],
  ["10", NOW + 10_000],
  ["+10", NOW + 10_000],
])("ttlInSeconds %j expires at %d", (ttlInSeconds, expected) => {
  expect(expiryMs(ttlInSeconds === undefined ? {} : { ttlInSeconds }, NOW)).toBe(expected);
});

test("the farthest expiry can still be written as RFC 3339", () => {
  expect(ttlExpireTime(expiryMs({ ttlInSeconds: "9223372036854775807" }, NOW))).toBe("9999-12-31T23:59:59Z");
});

test.each([
  ["soon", 'strconv.Atoi: parsing "soon": invalid syntax'],
  ["1.5", 'strconv.Atoi: parsing "1.5": invalid syntax'],
  ["9223372036854775808", 'strconv.Atoi: parsing "9223372036854775808": value out of range'],
])("ttlInSeconds %j is refused in Go's words", (ttlInSeconds, message) => {
  expect(() => expiryMs({ ttlInSeconds }, NOW)).toThrow(message);
});

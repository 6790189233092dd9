import { expect, it } from "vitest";
import { ttlSeconds } from "./ttl-seconds.ts";

const LIMIT = { secondsMax: 31_536_000n, refusal: "no longer than a year" };

it.each([
  [undefined, undefined],
  ["", undefined],
  ["0", undefined],
  ["-1", undefined],
  ["+5", 5],
  ["60", 60],
])("a lifetime of %j is %j seconds", (text, seconds) => {
  expect(ttlSeconds(text === undefined ? {} : { ttlInSeconds: text }, LIMIT)).toBe(seconds);
});

it.each([
  ["soon", 'strconv.ParseInt: parsing "soon": invalid syntax'],
  ["99999999999999999999", "value out of range"],
  ["-2", "must be -1 or greater"],
  ["31536001", "no longer than a year"],
])("%s is refused", (text, reason) => {
  expect(() => ttlSeconds({ ttlInSeconds: text }, LIMIT)).toThrow(reason);
});

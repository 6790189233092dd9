import { expect, it } from "vitest";
import { timestampWriter, utc } from "./timestamp.ts";

it.each([
  [0, "1970-01-01T00:00:00Z"],
  [1, "1970-01-01T00:00:00.001Z"],
  [1_100, "1970-01-01T00:00:01.1Z"],
  [1_120.7, "1970-01-01T00:00:01.12Z"],
  [-1, "1969-12-31T23:59:59.999Z"],
])("writes %d ms", (epochMs, text) => {
  expect(timestampWriter(utc)(epochMs)).toBe(text);
});

it("follows the seconds and the zone's changes", () => {
  const write = timestampWriter((epochMs) => (epochMs < 2_000 ? 60 : 120));
  expect([1_000, 1_500, 2_000].map(write)).toEqual([
    "1970-01-01T01:00:01+01:00",
    "1970-01-01T01:00:01.5+01:00",
    "1970-01-01T02:00:02+02:00",
  ]);
});

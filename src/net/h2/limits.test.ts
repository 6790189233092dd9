import { expect, it } from "vitest";
import { resolveTransportOptions, STREAMS_MAX } from "./limits.ts";

it("every limit has a default, and is taken from the options where it is named there", () => {
  const defaults = resolveTransportOptions();
  expect(defaults.streamsMax).toBe(STREAMS_MAX);
  expect(Object.values(defaults).filter((value) => typeof value !== "number" || Number.isNaN(value))).toEqual([]);
  const changed = Object.fromEntries(Object.keys(defaults).map((name, i) => [name, i + 1]));
  expect(resolveTransportOptions(changed)).toEqual(changed);
});

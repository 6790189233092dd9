import { expect, it, test } from "vitest";
import { isSampled, samplerDescription, samplingRateOf } from "./sampler.ts";

test.each([
  ["", 1e-4],
  ["often", 1e-4],
  ["0", 0],
  ["0.0", 0],
  ["1", 1],
  ["1.0", 1],
  [".5", 0.5],
  ["1e-2", 0.01],
])("the rate %j is %d", (text, rate) => {
  expect(samplingRateOf(text)).toBe(rate);
});

test.each([
  [0, "TraceIDRatioBased{0}"],
  [-1, "TraceIDRatioBased{0}"],
  [1e-4, "TraceIDRatioBased{0.0001}"],
  [5e-6, "TraceIDRatioBased{5e-06}"],
  [0.5, "TraceIDRatioBased{0.5}"],
  [1, "AlwaysOnSampler"],
  [2, "AlwaysOnSampler"],
])("the rate %d is described by its root %s", (rate, root) => {
  expect(samplerDescription(rate)).toContain(`ParentBased{root:${root},`);
});

// Go's sampler compares the last eight bytes, without their lowest bit, with the rate's share of 2^63.
test.each([
  ["0000000000000001", 1e-4, true],
  ["7fffffffffffffff", 0.5, true],
  ["8000000000000000", 0.5, false],
  ["ffffffffffffffff", 0.9999, false],
  ["ffffffffffffffff", 1, true],
  ["0000000000000000", 0, false],
])("a trace that ends in %s at the rate %d: %s", (half, rate, sampled) => {
  expect(isSampled(`4bf92f3577b34da6${half}`, rate)).toBe(sampled);
});

it("takes about as many as the rate says", () => {
  let taken = 0;
  for (let index = 0; index < 65_536; index += 1) {
    taken += isSampled(`0000000000000000${index.toString(16).padStart(4, "0")}000000000000`, 0.25) ? 1 : 0;
  }
  expect(taken).toBe(16_384);
});

import { describe, expect, it } from "vitest";
import { systemRandom } from "../kit/random.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { Backoff, type BackoffRule, type ExponentialRule } from "./backoff.ts";

const exponential: ExponentialRule = {
  policy: "exponential",
  initialIntervalMs: 500,
  multiplier: 1.5,
  randomizationFactor: 0.5,
  intervalMaxMs: 60_000,
  elapsedMaxMs: 0,
  retriesMax: undefined,
};

function waits(rule: BackoffRule, count: number, random = 0.5): (number | undefined)[] {
  const clock = new VirtualClock();
  const backoff = new Backoff(rule, clock, { ...systemRandom, next: () => random });
  return Array.from({ length: count }, () => {
    const wait = backoff.next();
    clock.advance(wait ?? 0);
    return wait === undefined ? undefined : Math.round(wait);
  });
}

describe("constant waits", () => {
  it("are all the same, as many as there are retries", () => {
    expect(waits({ policy: "constant", intervalMs: 250, retriesMax: 3 }, 5)).toEqual([
      250,
      250,
      250,
      undefined,
      undefined,
    ]);
  });

  it("never end without a limit of retries", () => {
    expect(waits({ policy: "constant", intervalMs: 0, retriesMax: undefined }, 100)).toEqual(Array(100).fill(0));
  });

  it("do not begin with no retries", () => {
    expect(waits({ policy: "constant", intervalMs: 1, retriesMax: 0 }, 1)).toEqual([undefined]);
  });
});

describe("exponential waits", () => {
  it("grow by half up to their limit", () => {
    expect(waits({ ...exponential, intervalMaxMs: 2_000 }, 6)).toEqual([500, 750, 1125, 1688, 2000, 2000]);
  });

  it("are half as long or half as long again, by chance", () => {
    expect(waits(exponential, 3, 0)).toEqual([250, 375, 563]);
    expect(waits(exponential, 3, 0.999_999_9)).toEqual([750, 1125, 1687]);
  });

  it("are as they are without randomization", () => {
    expect(waits({ ...exponential, randomizationFactor: 0 }, 3, 0)).toEqual([500, 750, 1125]);
  });

  it("end before the time is over in which retries may begin", () => {
    expect(waits({ ...exponential, elapsedMaxMs: 2_400 }, 5)).toEqual([500, 750, 1125, undefined, undefined]);
  });

  it("end with the retries", () => {
    expect(waits({ ...exponential, retriesMax: 2 }, 3)).toEqual([500, 750, undefined]);
  });
});

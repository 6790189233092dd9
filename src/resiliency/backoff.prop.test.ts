import fc from "fast-check";
import { expect, it } from "vitest";
import { systemRandom } from "../kit/random.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { Backoff } from "./backoff.ts";

const MS = 1e-6;

/** The definition, in the nanoseconds and integers of github.com/cenkalti/backoff. */
function defined(
  initialNs: number,
  maxNs: number,
  multiplier: number,
  factor: number,
  randoms: readonly number[],
): number[] {
  let intervalNs = initialNs;
  return randoms.map((random) => {
    const delta = factor * intervalNs;
    const waitNs = factor === 0 ? intervalNs : Math.trunc(intervalNs - delta + random * (2 * delta + 1));
    intervalNs = intervalNs >= maxNs / multiplier ? maxNs : Math.trunc(intervalNs * multiplier);
    return waitNs * MS;
  });
}

it("waits as the definition says, whatever the rule and the chance", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 100_000 }),
      fc.constantFrom(1, 1.5, 2, 10),
      fc.constantFrom(0, 0.1, 0.5, 1),
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1, maxLength: 30 }),
      (initialIntervalMs, intervalMaxMs, multiplier, randomizationFactor, randoms) => {
        let at = 0;
        const rule = {
          policy: "exponential",
          initialIntervalMs,
          multiplier,
          randomizationFactor,
          intervalMaxMs,
        } as const;
        const backoff = new Backoff({ ...rule, elapsedMaxMs: 0, retriesMax: randoms.length }, new VirtualClock(), {
          ...systemRandom,
          next: () => randoms[at++] as number,
        });
        const expected = defined(initialIntervalMs / MS, intervalMaxMs / MS, multiplier, randomizationFactor, randoms);
        for (const wait of expected) {
          expect(Math.abs((backoff.next() as number) - wait)).toBeLessThan(0.001);
        }
        expect(backoff.next()).toBeUndefined();
      },
    ),
  );
});

it("starts no retry after its time, and never waits longer than half again of its longest interval", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 1, max: 60_000 }),
      (elapsedMaxMs, intervalMaxMs) => {
        const clock = new VirtualClock(0);
        const backoff = new Backoff(
          {
            policy: "exponential",
            initialIntervalMs: 500,
            multiplier: 1.5,
            randomizationFactor: 0.5,
            intervalMaxMs,
            elapsedMaxMs,
            retriesMax: undefined,
          },
          clock,
          systemRandom,
        );
        for (let wait = backoff.next(); wait !== undefined; wait = backoff.next()) {
          expect(wait).toBeLessThanOrEqual(Math.max(500, intervalMaxMs) * 1.5 + 1);
          clock.advance(Math.max(wait, 1));
          expect(clock.now()).toBeLessThanOrEqual(elapsedMaxMs + 1);
        }
      },
    ),
  );
});

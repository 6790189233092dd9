import fc from "fast-check";
import { expect, it } from "vitest";
import { TokenBuckets } from "./token-buckets.ts";

it("never gives more than the burst and the rate together, however the requests come", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 }),
      (rate, gapsMs) => {
        const buckets = new TokenBuckets(rate, 10);
        let nowMs = 0;
        let given = 0;
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          given += buckets.take("one", nowMs) === undefined ? 0 : 1;
        }
        expect(given).toBeLessThanOrEqual(rate + (nowMs * rate) / 1_000 + 1e-6);
      },
    ),
  );
});

it("holds so many callers and no more: the one that was quiet longest is forgotten", () => {
  const buckets = new TokenBuckets(1, 2);
  const took = (key: string): boolean => buckets.take(key, 0) !== undefined;
  expect([took("a"), took("b"), took("a"), took("c"), took("a"), took("b")]).toEqual([
    true,
    true,
    false,
    true,
    false,
    true,
  ]);
});

import { expect, it } from "vitest";
import { Backoff } from "./backoff.ts";

it("doubles up to its bound, more or less by half, and begins again", () => {
  const draws = [0.5, 0, 0.999, 0.5, 0.5, 0.5];
  const random = { uuid: () => "", bytes: () => new Uint8Array(0), next: () => draws.shift() ?? 0.5 };
  const backoff = new Backoff(random, 100, 400);
  expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()].map(Math.round)).toEqual([
    100, 100, 600, 400,
  ]);
  backoff.reset();
  expect(backoff.next()).toBe(100);
});

import { expect, it } from "vitest";
import { Congestion } from "./congestion.ts";

function noted(congestion: Congestion, target: string, times: number, tookMs: number): Congestion {
  for (let answer = 0; answer < times; answer += 1) {
    congestion.note(target, tookMs);
  }
  return congestion;
}

it("an app that is slow is no jam, nor is one that is a little slower for once", () => {
  const congestion = noted(new Congestion(), "slow", 200, 1_000);
  expect(congestion.isJam).toBe(false);
  expect(noted(congestion, "slow", 20, 1_500).isJam).toBe(false);
  expect(noted(congestion, "quick", 200, 1).isJam).toBe(false);
  expect(noted(congestion, "quick", 20, 9).isJam).toBe(false);
});

it("answers that take many times what they can take are one, until they are quick again", () => {
  const congestion = noted(new Congestion(), "app", 10, 3);
  expect(noted(congestion, "app", 100, 80).isJam).toBe(true);
  expect(noted(congestion, "app", 100, 5).isJam).toBe(false);
});

it("an app that has become slow for good is one only for a while", () => {
  const congestion = noted(new Congestion(), "app", 10, 3);
  expect(noted(congestion, "app", 100, 200).isJam).toBe(true);
  expect(noted(congestion, "app", 3_000, 200).isJam).toBe(false);
});

import { expect, it } from "vitest";
import { failureText } from "./report.ts";
import { simulate } from "./simulate.ts";

it("is the same for the same seed, event by event, and another for another", async () => {
  const [first, again, other] = [await simulate({ seed: 7 }), await simulate({ seed: 7 }), await simulate({ seed: 8 })];
  expect(again).toEqual(first);
  expect(other.hash).not.toBe(first.hash);
});

it("shows a failing seed with what was violated, what came before, and how to see it again", async () => {
  const outcome = await simulate({ seed: 1, plant: "early trigger" });
  expect(outcome.violation).toMatch(/early/);
  const text = failureText(outcome, "early trigger");
  expect(text).toContain(`seed 1 (trace ${outcome.hash}): early`);
  expect(text).toContain("VIOLATION early");
  expect(text).toContain('replay: npm run simulate -- --seed 1 --plant "early trigger"');
  expect(outcome.tail.length).toBeGreaterThan(20);
});

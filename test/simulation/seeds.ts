import { expect, it } from "vitest";
import { addSeed, failureText, newSummary } from "./report.ts";

/** Seeds of one file: four files share what `npm test` runs, so that they run beside each other. */
const SEEDS = 50;

/** Runs seeds from `first` on; a failure shows the first seed that violates an invariant, with the command to see it again. */
export function simulateSeeds(first: number): void {
  it(`holds all invariants under the seeds from ${first} to ${first + SEEDS - 1}`, async () => {
    const summary = newSummary();
    for (let seed = first; seed < first + SEEDS; seed += 1) {
      const outcome = await addSeed(summary, seed);
      expect(outcome.violation, failureText(outcome)).toBe(undefined);
    }
    expect(summary.calm).toBeGreaterThan(SEEDS);
    expect(summary.triggers).toBeGreaterThan(10 * SEEDS);
    expect(summary.acknowledged).toBeGreaterThan(100 * SEEDS);
  });
}

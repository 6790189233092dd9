import type { Plant } from "./plants.ts";
import { type Outcome, simulate } from "./simulate.ts";

/** What many seeds came to. */
export interface Summary {
  seeds: number;
  happened: number;
  troubles: number;
  acknowledged: number;
  failed: number;
  calm: number;
  triggers: number;
  readonly failures: Outcome[];
}

export function newSummary(): Summary {
  return { seeds: 0, happened: 0, troubles: 0, acknowledged: 0, failed: 0, calm: 0, triggers: 0, failures: [] };
}

/** Runs one seed more. */
export async function addSeed(summary: Summary, seed: number, plant?: Plant): Promise<Outcome> {
  const outcome = await simulate({ seed, plant });
  const { stats } = outcome;
  summary.seeds += 1;
  summary.happened += outcome.happened;
  summary.troubles += outcome.troubles;
  summary.acknowledged += stats.acknowledged;
  summary.failed += stats.failed;
  summary.calm += stats.calm;
  summary.triggers += stats.triggers;
  if (outcome.violation !== undefined) {
    summary.failures.push(outcome);
  }
  return outcome;
}

/** How a failing seed is shown: what was violated, what came before, and how to see it again. */
export function failureText({ seed, hash, violation, tail }: Outcome, plant?: Plant): string {
  const planted = plant === undefined ? "" : ` --plant "${plant}"`;
  return [
    `seed ${seed} (trace ${hash}): ${violation ?? "no violation"}`,
    "",
    ...tail.map((line) => `  ${line}`),
    "",
    `replay: npm run simulate -- --seed ${seed}${planted}`,
  ].join("\n");
}

export function summaryText(summary: Summary): string {
  const { seeds, happened, troubles, acknowledged, failed, calm, triggers, failures } = summary;
  return (
    `${seeds} seeds: ${happened} happenings, ${troubles} troubles, ${acknowledged} operations acknowledged and ${failed} failed, ` +
    `${calm} calls of undisturbed actors, ${triggers} triggers; ${failures.length} seeds violate an invariant`
  );
}

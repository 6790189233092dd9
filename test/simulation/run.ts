// `npm run simulate -- --seeds 1000 [--first 1] [--minutes 10] [--plant "no fence"]`, or `--seed 42 [--logs]` to see one again.
import { parseArgs } from "node:util";
import { type Plant, PLANTS } from "./plants.ts";
import { addSeed, failureText, newSummary, summaryText } from "./report.ts";
import { simulate } from "./simulate.ts";

const SEEDS_DEFAULT = 200;
/** Failing seeds that are shown in full. */
const SHOWN_MAX = 3;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    first: { type: "string", default: "1" },
    minutes: { type: "string" },
    seed: { type: "string" },
    plant: { type: "string" },
    logs: { type: "boolean", default: false },
  },
});
const plant = values.plant === undefined ? undefined : plantOf(values.plant);
process.exitCode = (await (values.seed === undefined ? many() : one(Number(values.seed)))) ? 0 : 1;

/** Runs a seed twice: its trace must be the same. */
async function one(seed: number): Promise<boolean> {
  const outcome = await simulate({ seed, plant, logs: values.logs });
  const again = await simulate({ seed, plant, logs: values.logs });
  console.log(
    outcome.violation === undefined
      ? `seed ${seed} (trace ${outcome.hash}): no violation in ${outcome.happened} happenings`
      : failureText(outcome, plant),
  );
  if (outcome.hash !== again.hash) {
    console.log(`NOT DETERMINISTIC: the second run's trace is ${again.hash}`);
  }
  return outcome.violation === undefined && outcome.hash === again.hash;
}

/** Seeds one after the other, as many as asked for or as the time allows. */
async function many(): Promise<boolean> {
  const first = Number(values.first);
  const startedMs = performance.now();
  const untilMs = values.minutes === undefined ? Infinity : startedMs + Number(values.minutes) * 60_000;
  const count = Number(values.seeds ?? (values.minutes === undefined ? SEEDS_DEFAULT : Infinity));
  const summary = newSummary();
  for (let seed = first; seed < first + count && performance.now() < untilMs; seed += 1) {
    const outcome = await addSeed(summary, seed, plant);
    if (outcome.violation !== undefined) {
      const shown = summary.failures.length <= SHOWN_MAX;
      console.log(shown ? failureText(outcome, plant) : `seed ${seed}: ${outcome.violation}`);
    }
    // Sockets and signals get their turn between two seeds.
    await new Promise((resolve) => setImmediate(resolve));
  }
  console.log(`${summaryText(summary)} (${((performance.now() - startedMs) / 1_000).toFixed(0)} s)`);
  return summary.failures.length === 0;
}

function plantOf(text: string): Plant {
  const found = PLANTS.find((one) => one === text);
  if (found === undefined) {
    throw new Error(`nothing to plant is called "${text}"; there are: ${PLANTS.join(", ")}`);
  }
  return found;
}

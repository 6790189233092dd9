import { expect, it } from "vitest";
import { type Plant, PLANTS } from "./plants.ts";
import { failureText } from "./report.ts";
import { simulate } from "./simulate.ts";

/** Seeds within which each bug must show. */
const SEEDS_MAX = 60;

/** What each planted bug is caught by. */
const CAUGHT_BY: Readonly<Record<Plant, RegExp>> = {
  "no fence": /has not seen all that were before|commits across/,
  "app taken for new": /has not seen all that were before/,
  "early lease": /two activations/,
  "lost table": /two activations|does not answer|none of them disturbed/,
  "swallowed trigger": /late or lost/,
  "early trigger": /early/,
  "lost commit": /late or lost|has been replaced or deleted/,
  "two leaders": /two leaders/,
};

it.each(PLANTS)("finds a planted bug: %s", async (plant) => {
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const outcome = await simulate({ seed, plant });
    if (outcome.violation !== undefined) {
      expect(outcome.violation, failureText(outcome, plant)).toMatch(CAUGHT_BY[plant]);
      return;
    }
  }
  expect.fail(`none of ${SEEDS_MAX} seeds has found it`);
});

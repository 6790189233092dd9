import { join } from "node:path";
import { expect, it } from "vitest";
import { isInOrder, replayUnderFaults } from "./faults.ts";

const SAMPLE = join(import.meta.dirname, "../../examples/order-management/sample-orders.csv");

/** A third of the calls that the sample needs: the breaker closes for good while the rest comes. */
const CALLS = 150;
/** The share is what is asked for, and nearly half of the first thirty calls are hit: the breaker cannot but open. */
const SEED = 269;
/** On a machine that is busy with other tests; it takes half a minute. */
const TEST_MS_MAX = 180_000;

it(
  "keeps its books while 30 % of the calls to the stock fail or stall, and its breaker opens and closes",
  async () => {
    const report = await replayUnderFaults({
      faults: { share: 0.3, stallSeconds: 2, calls: CALLS, seed: SEED },
      orderFiles: [SAMPLE],
      channels: 8,
      ratePerSecond: 5,
      separateSidecars: false,
      print: () => undefined,
    });
    expect(report, report.audit.output).toMatchObject({ failures: [], audit: { code: 0 }, orders: 60 });
    expect(report.audit.output).toContain("Verdict: green");
    expect(report.counts.confirmed).toBeGreaterThan(10);
    expect(namesOfZeros(report.figures)).toEqual([]);
    expect(report.states.get("orders")).toContain("closed");
    const { calls, failed, slow } = report.traces;
    expect(namesOfZeros({ calls, failed, slow })).toEqual([]);
    expect(isInOrder(report)).toBe(true);
  },
  TEST_MS_MAX,
);

function namesOfZeros(figures: object): string[] {
  return Object.entries(figures).flatMap(([name, count]) => (count === 0 ? [name] : []));
}

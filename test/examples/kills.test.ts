import { join } from "node:path";
import { expect, it } from "vitest";
import { isInOrder, replayUnderKills, type Scenario, SCENARIOS } from "./kills.ts";

const SAMPLE = join(import.meta.dirname, "../../examples/order-management/sample-orders.csv");

/** The sample takes twelve seconds at that rate: long enough to be killed in the middle of it, three times. */
const ORDERS_PER_SECOND = 5;
const CHANNELS = 4;
/** On a machine that is busy with other tests; it takes half a minute. */
const TEST_MS_MAX = 180_000;

it.concurrent.each(Object.keys(SCENARIOS) as Scenario[])(
  "keeps its books when killed three times in the middle of a replay: %s",
  async (scenario) => {
    const seed = Math.trunc(Math.random() * 2 ** 32);
    console.log(`${scenario}: seed ${seed}`);
    const report = await replayUnderKills({
      scenario,
      seed,
      orderFiles: [SAMPLE],
      channels: CHANNELS,
      ratePerSecond: ORDERS_PER_SECOND,
      print: (line) => console.log(line),
    });
    expect(report, report.audit.output).toMatchObject({ failures: [], orphans: [], audit: { code: 0 }, orders: 60 });
    expect(report.audit.output).toContain("Verdict: green");
    expect(report.kills).toHaveLength(3);
    expect(report.counts.confirmed).toBeGreaterThan(30);
    expect(report.counts.expired).toBeGreaterThanOrEqual(4);
    expect(isInOrder(report)).toBe(true);
  },
  TEST_MS_MAX,
);

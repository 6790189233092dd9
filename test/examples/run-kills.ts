// `npm run crash:orders`: replays orders under kills, one scenario after the other, and says how that ended.
// Arguments: `--orders FILE…` (the example's sample without it), `--seed N` to repeat a run, `--scenario NAME` for one.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isInOrder, type KillReport, replayUnderKills, type Scenario, SCENARIOS } from "./kills.ts";

const SAMPLE = join(import.meta.dirname, "../../examples/order-management/sample-orders.csv");
const CHANNELS = 8;
/** Without it, the sample would be over before three kills. */
const SAMPLE_ORDERS_PER_SECOND = 5;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    orders: { type: "string", multiple: true },
    seed: { type: "string" },
    scenario: { type: "string" },
  },
});
const orderFiles = [...(values.orders ?? []), ...positionals];
const seed = Number(values.seed ?? Math.trunc(Math.random() * 2 ** 32));
const names = Object.keys(SCENARIOS) as Scenario[];
const scenarios = values.scenario === undefined ? names : names.filter((name) => name === values.scenario);
if (scenarios.length === 0) throw new Error(`--scenario is one of ${names.map((name) => `"${name}"`).join(", ")}`);

console.log(`seed ${seed}`);
let isGreen = true;
for (const scenario of scenarios) {
  console.log(`\n${scenario}: ${SCENARIOS[scenario]}`);
  const report = await replayUnderKills({
    scenario,
    seed,
    orderFiles: orderFiles.length === 0 ? [SAMPLE] : orderFiles,
    channels: CHANNELS,
    ratePerSecond: orderFiles.length === 0 ? SAMPLE_ORDERS_PER_SECOND : undefined,
    print: (line) => console.log(line),
  });
  for (const line of summaryOf(report)) console.log(line);
  isGreen &&= isInOrder(report);
}
process.exit(isGreen ? 0 : 1);

function summaryOf({ orders, counts, failures, audit, orphans, seconds }: KillReport): string[] {
  return [
    audit.output.trimEnd(),
    `${orders} invoices in ${seconds.toFixed(1)} s: ${counts.orders} orders placed, ${counts.confirmed} confirmed, ` +
      `${counts.rejected} rejected, ${counts.cancelled} cancelled, ${counts.expired} expired, ` +
      `${counts.refunded} refunded; ${counts.returned} returned, ${counts.writtenOff} written off`,
    ...failures.map((failure) => `failed: ${failure}`),
    ...orphans.map((pid) => `process ${pid} was left behind`),
  ];
}

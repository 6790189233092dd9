// `npm run resiliency:orders`: replays the sample while 30 % of the calls to the stock service fail or stall for a minute,
// and writes docs/reports/resiliency.md. `--seed N` repeats a run.
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type FaultReport, isInOrder, replayUnderFaults } from "./faults.ts";

const SAMPLE = join(import.meta.dirname, "../../examples/order-management/sample-orders.csv");
const REPORT = join(import.meta.dirname, "../../docs/reports/resiliency.md");

/** So many calls come in more than a minute at that rate; what follows must find the breaker closed. */
const CALLS = 600;
const ORDERS_PER_SECOND = 0.7;
const SHARE = 0.3;
const STALL_SECONDS = 60;

const { values } = parseArgs({ options: { seed: { type: "string" } } });
const seed = Number(values.seed ?? Math.trunc(Math.random() * 2 ** 31));
const report = await replayUnderFaults({
  faults: { share: SHARE, stallSeconds: STALL_SECONDS, calls: CALLS, seed },
  orderFiles: [SAMPLE],
  channels: 8,
  ratePerSecond: ORDERS_PER_SECOND,
  separateSidecars: true,
  print: (line) => console.log(line),
});
writeFileSync(REPORT, documentOf(report));
console.log(`wrote ${REPORT}`);
process.exit(isInOrder(report) ? 0 : 1);

function documentOf(report: FaultReport): string {
  const { orders, counts, audit, failures, figures, states, seconds, traces } = report;
  const { calls, retried, timedOut, opened, closed } = figures;
  const cpu = cpus();
  return `# Resiliency under failing calls

Written by \`npm run resiliency:orders\` (seed ${seed}) on ${new Date().toISOString().slice(0, 10)}: Node ${process.versions.node}, ${cpu.length} CPUs (${cpu[0]?.model ?? "unknown"}). Verdict: **${isInOrder(report) ? "the books balance, the breaker opened and closed" : "not in order"}**.

[The order system](../../examples/order-management/README.md), every service and every sidecar a process of its own. Of the first ${CALLS} calls to the stock service, ${SHARE * 100} % are hit: one half is answered with 500, the other half is held back for ${STALL_SECONDS} s and carried out then, when nobody waits for it any more. \`resources/resiliency.yaml\` has a timeout of a second, five retries and a circuit breaker for them.

| | |
|---|---|
| invoices | ${orders} in ${seconds.toFixed(0)} s, ${failures.length} without an answer or an end |
| orders | ${counts.orders}: ${counts.confirmed} confirmed, ${counts.expired} expired, ${counts.rejected} rejected, ${counts.cancelled} cancelled, ${counts.refunded} refunded afterwards |
| \`dapr_resiliency_count{policy="circuitbreaker"}\` | ${calls} calls of stock codes |
| \`dapr_resiliency_activations_total{policy="retry"}\` | ${retried} calls were tried again |
| \`dapr_resiliency_activations_total{policy="timeout"}\` | ${timedOut} turns were given up after a second |
| \`dapr_resiliency_activations_total{policy="circuitbreaker", status="open"}\` | ${opened} attempts saw a breaker open |
| \`dapr_resiliency_activations_total{policy="circuitbreaker", status="closed"}\` | ${closed} attempts closed one |

\`dapr_resiliency_cb_state\`, as it was seen to change, by the sidecar that calls:

${[...states].map(([app, seen]) => `* \`${app}\`: ${seen.join(" → ")}`).join("\n")}

What the spans of all sidecars say, ${traces.spans} of them, sent to a collector over OTLP:

| | |
|---|---|
| \`CallActor/StockActor/move\` of \`orders\` | ${traces.calls} commands, each with all its attempts |
| with an error | ${traces.failed}, of which ${traces.failedAtOnce} at once: the breaker was open |
| longer than a second | ${traces.slow}: an attempt was given up and made again |
| traces of a paid order that was delivered, after a delivery of it had failed | ${traces.deliveredLater} |

What the audit says of the books:

\`\`\`
${audit.output.trimEnd()}
\`\`\`
`;
}

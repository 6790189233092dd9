import type { OrderStatus } from "../model/order.ts";
import type { StockSummary } from "../model/stock.ts";
import type { Check } from "./audit.ts";
import type { Replay } from "./channels.ts";
import { quantile } from "./quantile.ts";

/** Problems printed of each check; the rest is only counted. */
const PROBLEMS_SHOWN = 5;

/** Counts, latencies and throughput of a replay, as lines. */
export function replayReport({ receipts, failures, latenciesMs, elapsedMs }: Replay, stock: StockSummary): string[] {
  const counts: Record<OrderStatus, number> = { placed: 0, rejected: 0, cancelled: 0, "written-off": 0 };
  for (const { status } of receipts.values()) counts[status]++;
  const orders = counts.placed + counts.rejected;
  const rejectedPercent = orders === 0 ? 0 : (counts.rejected / orders) * 100;
  return [
    `  ${counts.placed} placed, ${counts.rejected} rejected (${rejectedPercent.toFixed(1)} %), ` +
      `${counts.cancelled} cancelled, ${counts["written-off"]} written off, ${failures.size} failed`,
    `  p50 ${quantile(latenciesMs, 0.5).toFixed(1)} ms, p99 ${quantile(latenciesMs, 0.99).toFixed(1)} ms, ` +
      `${(latenciesMs.length / (elapsedMs / 1000)).toFixed(0)} orders/s in ${(elapsedMs / 1000).toFixed(1)} s`,
    `  ${stock.conflicts} ETag conflicts tried again, ${stock.repeats} events came twice`,
  ];
}

/** Each check on a line, with the first of its problems below it, and the verdict. */
export function auditReport(checks: readonly Check[]): string[] {
  const lines: string[] = [];
  for (const { claim, examined, problems } of checks) {
    lines.push(`  ${problems.length === 0 ? "ok  " : "FAIL"}  ${claim} (${examined})`);
    for (const problem of problems.slice(0, PROBLEMS_SHOWN)) lines.push(`          ${problem}`);
    if (problems.length > PROBLEMS_SHOWN) lines.push(`          … and ${problems.length - PROBLEMS_SHOWN} more`);
  }
  lines.push(isGreen(checks) ? "Verdict: green, nothing was lost." : "Verdict: RED.");
  return lines;
}

export function isGreen(checks: readonly Check[]): boolean {
  return checks.every((check) => check.problems.length === 0);
}

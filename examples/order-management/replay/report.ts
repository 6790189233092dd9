import type { Books } from "../audit/books.ts";
import { wasConfirmed } from "../audit/order-claims.ts";
import type { Performed } from "./channels.ts";
import type { Timing } from "./desk.ts";
import { quantile } from "./quantile.ts";

/** Failures printed; the rest is only counted. */
const FAILURES_SHOWN = 5;

/** How many of what was asked ended in which way. */
export interface Counts {
  readonly orders: number;
  /** Orders that found too little. */
  readonly rejected: number;
  readonly paid: number;
  readonly confirmed: number;
  /** By the customer, instead of paying. */
  readonly cancelled: number;
  readonly expired: number;
  /** By an invoice that takes goods of a confirmed order back. */
  readonly refunded: number;
  readonly returned: number;
  readonly writtenOff: number;
}

/** Counts from the stores at rest and from the journal, not from what the services say about themselves. */
export function countsOf({ journal, orders, transfers }: Books): Counts {
  const ended = (status: string): number => count(orders.values(), (one) => one.status === status);
  const done = (kind: string): number => count(transfers.values(), (one) => one.status === "done" && one.kind === kind);
  return {
    orders: orders.size,
    rejected: ended("rejected"),
    paid: count(journal, ({ step, status }) => step === "pay" && status === 202),
    confirmed: count(orders.values(), wasConfirmed),
    cancelled: ended("cancelled"),
    expired: ended("expired"),
    refunded: ended("refunded"),
    returned: done("return"),
    writtenOff: done("write-off"),
  };
}

function count<Thing>(things: Iterable<Thing>, is: (thing: Thing) => boolean): number {
  return [...things].filter((thing) => is(thing)).length;
}

/** What happened, as lines; `restMs` is from the last answer until nothing was under way any more. */
export function replayReport(
  counts: Counts,
  { performed, failures, elapsedMs }: Performed,
  { latenciesMs, retried }: Timing,
  restMs: number,
): string[] {
  const rejectedPercent = counts.orders === 0 ? 0 : (counts.rejected / counts.orders) * 100;
  const seconds = elapsedMs / 1_000;
  return [
    `  ${counts.orders} orders: ${counts.paid} paid, ${counts.confirmed} confirmed, ` +
      `${counts.rejected} rejected (${rejectedPercent.toFixed(1)} %), ${counts.cancelled} cancelled, ` +
      `${counts.expired} expired,`,
    `  ${counts.refunded} refunded after they were confirmed, ${counts.returned} returned, ` +
      `${counts.writtenOff} written off, ${failures.size} failed`,
    `  p50 ${quantile(latenciesMs, 0.5).toFixed(1)} ms, p99 ${quantile(latenciesMs, 0.99).toFixed(1)} ms ` +
      `from a request to the façade until its answer (${latenciesMs.length} at the first attempt, ${retried} repeated)`,
    `  ${(performed / seconds).toFixed(1)} orders/s: ${performed} in ${seconds.toFixed(1)} s, ` +
      `at rest ${(restMs / 1_000).toFixed(1)} s later`,
    ...[...failures].slice(0, FAILURES_SHOWN).map(([name, why]) => `  failed: ${name}: ${why}`),
  ];
}

import type { Books } from "../audit/books.ts";
import { wasConfirmed } from "../audit/order-claims.ts";
import type { Performed } from "./channels.ts";
import type { Timing } from "./desk.ts";
import { quantile } from "./quantile.ts";

/** Failures printed; the rest is only counted. */
const FAILURES_SHOWN = 5;

/** How many of what was asked ended in which way. */
export interface Counts {
  readonly reservations: number;
  /** Reservations that found too little. */
  readonly rejected: number;
  readonly placed: number;
  readonly confirmed: number;
  /** By the customer, before the order was placed. */
  readonly cancelledBefore: number;
  /** By an invoice that takes goods of a confirmed order back. */
  readonly cancelledAfter: number;
  readonly expired: number;
  readonly returned: number;
  readonly writtenOff: number;
}

/** Counts from the stores at rest and from the journal, not from what the services say about themselves. */
export function countsOf({ journal, orders, reservations, transfers }: Books): Counts {
  const released = (reason: string): number =>
    count(reservations.values(), (one) => one.phase === "released" && one.reason === reason);
  const done = (kind: string): number => count(transfers.values(), (one) => one.phase === "done" && one.kind === kind);
  return {
    reservations: count(journal, ({ step }) => step === "reserve"),
    rejected: count(reservations.values(), ({ phase }) => phase === "refused"),
    placed: count(journal, ({ step, status }) => step === "place" && status === 202),
    confirmed: count(orders.values(), wasConfirmed),
    cancelledBefore: released("cancelled"),
    cancelledAfter: done("cancellation"),
    expired: released("expired"),
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
  const rejectedPercent = counts.reservations === 0 ? 0 : (counts.rejected / counts.reservations) * 100;
  const seconds = elapsedMs / 1_000;
  return [
    `  ${counts.placed} placed, ${counts.confirmed} confirmed, ` +
      `${counts.rejected} rejected (${rejectedPercent.toFixed(1)} % of ${counts.reservations} reservations), ` +
      `${counts.expired} expired,`,
    `  ${counts.cancelledBefore} cancelled before they were placed, ${counts.cancelledAfter} after they were confirmed, ` +
      `${counts.returned} returned, ${counts.writtenOff} written off, ${failures.size} failed`,
    `  p50 ${quantile(latenciesMs, 0.5).toFixed(1)} ms, p99 ${quantile(latenciesMs, 0.99).toFixed(1)} ms ` +
      `from a request to the façade until its answer (${latenciesMs.length} at the first attempt, ${retried} repeated)`,
    `  ${(performed / seconds).toFixed(1)} orders/s: ${performed} in ${seconds.toFixed(1)} s, ` +
      `at rest ${(restMs / 1_000).toFixed(1)} s later`,
    ...[...failures].slice(0, FAILURES_SHOWN).map(([name, why]) => `  failed: ${name}: ${why}`),
  ];
}

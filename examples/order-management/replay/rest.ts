import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { StateFile } from "../audit/state-file.ts";

/** For the last confirmations to be redelivered after a kill, and for the last order to expire. */
const REST_MS_MAX = 120_000;
const POLL_MS = 200;

/** Actor types of the orders service, the record of each that says how far it has come, and how it may end. */
const UNDERWAY = [
  { type: "OrderActor", record: "order", ends: ["confirmed", "refunded", "rejected", "cancelled", "expired"] },
  { type: "TransferActor", record: "transfer", ends: ["done", "refused"] },
] as const;

const progressSchema = z.object({ status: z.string() });

/**
 * Waits until no order and no transfer is under way, by the store alone: an order that was abandoned has nobody left who
 * could be asked. Resolves with what is still under way when the time is over, nothing as a rule.
 */
export async function waitForRest(
  store: string,
  signal: AbortSignal,
  onWait: (open: readonly string[]) => void = () => {},
  limitMs: number = REST_MS_MAX,
): Promise<readonly string[]> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    const open = openIn(store);
    if (open.length === 0 || performance.now() > deadlineMs) return open;
    onWait(open);
    await delay(POLL_MS, undefined, { signal });
  }
}

/** The names of what has not ended yet. */
export function openIn(store: string): string[] {
  using file = new StateFile(store);
  return file.snapshot(() =>
    UNDERWAY.flatMap(({ type, record, ends }) =>
      file
        .records("orders", type)
        .filter(({ name }) => name === record)
        .filter(({ text }) => !(ends as readonly string[]).includes(progressSchema.parse(JSON.parse(text)).status))
        .map(({ id }) => `${record} ${id}`),
    ),
  );
}

import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { StateFile } from "../audit/state-file.ts";

/** For the last confirmations to be redelivered after a kill, and for the last reservation to expire. */
const REST_MS_MAX = 120_000;
const POLL_MS = 200;

const ORDER_ENDS = ["confirmed", "rejected", "expired", "cancelled"];
const RESERVATION_ENDS = ["committed", "released", "refused"];
const TRANSFER_ENDS = ["done", "refused"];

const progressSchema = z.object({ status: z.string().optional(), phase: z.string().optional() });

/**
 * Waits until no order, reservation or transfer is under way, by the store alone: a reservation that was abandoned has
 * nobody left who could be asked. Resolves with what is still under way when the time is over, nothing as a rule.
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
  const open = (appId: string, prefix: string, ends: readonly string[]): string[] =>
    file
      .records(appId, prefix)
      .filter(({ text }) => {
        const { status, phase } = progressSchema.parse(JSON.parse(text));
        return !ends.includes(status ?? phase ?? "");
      })
      .map(({ name }) => `${prefix.slice(0, -1)} ${name}`);
  return file.snapshot(() => [
    ...open("orders", "order:", ORDER_ENDS),
    ...open("stock", "reservation:", RESERVATION_ENDS),
    ...open("stock", "transfer:", TRANSFER_ENDS),
  ]);
}

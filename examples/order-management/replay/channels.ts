import type { Invoice } from "../model/invoice.ts";
import type { OrderReceipt } from "../model/order.ts";

/** What became of the posts: an order is in `receipts` or in `failures`. */
export interface Replay {
  readonly receipts: ReadonlyMap<string, OrderReceipt>;
  readonly failures: ReadonlyMap<string, string>;
  /** From post to answer, one for each order, in no particular order. */
  readonly latenciesMs: readonly number[];
  readonly elapsedMs: number;
}

export interface ReplayPlan {
  readonly invoices: readonly Invoice[];
  /** How many orders are on their way at a time. */
  readonly channels: number;
  readonly post: (invoice: Invoice) => Promise<OrderReceipt>;
  /** Once aborted, no channel takes another order. */
  readonly signal: AbortSignal;
  /** Called after each order. */
  readonly onProgress: (done: number) => void;
}

/** Posts all invoices, each once: every channel takes the next one when it has its answer. Never throws. */
export async function replay({ invoices, channels, post, signal, onProgress }: ReplayPlan): Promise<Replay> {
  const receipts = new Map<string, OrderReceipt>();
  const failures = new Map<string, string>();
  const latenciesMs: number[] = [];
  const queue = invoices.values();
  const started = performance.now();

  const channel = async (): Promise<void> => {
    for (const invoice of queue) {
      if (signal.aborted) return;
      const posted = performance.now();
      try {
        receipts.set(invoice.id, await post(invoice));
      } catch (error) {
        failures.set(invoice.id, error instanceof Error ? error.message : String(error));
      }
      latenciesMs.push(performance.now() - posted);
      onProgress(latenciesMs.length);
    }
  };
  await Promise.all(Array.from({ length: channels }, channel));
  return { receipts, failures, latenciesMs, elapsedMs: performance.now() - started };
}

import type { TransactionOutcome } from "../state/outbox-port.ts";

/** Markers whose fate is remembered; the oldest is forgotten first, and then the store is asked as for any other. */
export const REMEMBERED_MARKERS_MAX = 10_000;

/**
 * What is known here about a marker: `relayed`, its event has gone on and the marker is deleted; `missed`, it has been
 * waited for in vain once.
 */
export type MarkerFate = TransactionOutcome | "relayed" | "missed";

/**
 * Remembers what became of this sidecar's own transactions, so that most events neither wait for nor guess about them.
 * It only saves time: an event whose transaction nobody remembers is decided by the store.
 */
export class TransactionMemory {
  readonly #fates = new Map<string, MarkerFate | Promise<MarkerFate>>();

  /** The transaction of these markers is under way; the function tells how it ended. */
  begin(markers: readonly string[]): (outcome: TransactionOutcome) => void {
    const { promise, resolve } = Promise.withResolvers<MarkerFate>();
    for (const marker of markers) {
      this.#keep(marker, promise);
    }
    return (outcome) => {
      for (const marker of markers) {
        this.#keep(marker, outcome);
      }
      resolve(outcome);
    };
  }

  note(marker: string, fate: "relayed" | "missed"): void {
    this.#keep(marker, fate);
  }

  /** Waits for a transaction under way. */
  fateOf(marker: string): MarkerFate | Promise<MarkerFate> {
    return this.#fates.get(marker) ?? "unknown";
  }

  #keep(marker: string, fate: MarkerFate | Promise<MarkerFate>): void {
    this.#fates.delete(marker);
    this.#fates.set(marker, fate);
    if (this.#fates.size > REMEMBERED_MARKERS_MAX) {
      const oldest = this.#fates.keys().next();
      this.#fates.delete(oldest.value ?? marker);
    }
  }
}

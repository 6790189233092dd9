import type { DueLedger } from "./due-ledger.ts";

/** Releases that are under way at a time. */
const RELEASES_MAX = 8;

export interface SweeperOptions {
  readonly ledger: Pick<DueLedger, "secondsUntil" | "idsOf" | "forget">;
  /** Gives the goods of an expired reservation back, unless it has ended before. */
  readonly release: (reservationId: string) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Ends what has expired. */
export class Sweeper {
  readonly #options: SweeperOptions;
  #sweeping = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /**
   * Releases all that is due, the oldest first; each bucket is forgotten when all of its releases were answered. Does
   * nothing while another sweep of this process is under way.
   */
  async sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    try {
      const { ledger, now } = this.#options;
      for (const second of await ledger.secondsUntil(now())) {
        const ids = await ledger.idsOf(second);
        await this.#releaseAll(ids);
        await ledger.forget(second, ids);
      }
    } finally {
      this.#sweeping = false;
    }
  }

  async #releaseAll(ids: readonly string[]): Promise<void> {
    const queue = ids.values();
    const lane = async (): Promise<void> => {
      for (const id of queue) await this.#options.release(id);
    };
    const lanes = await Promise.allSettled(Array.from({ length: RELEASES_MAX }, lane));
    for (const result of lanes) if (result.status === "rejected") throw result.reason;
  }
}

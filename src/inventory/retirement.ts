import type { Clock } from "../kit/clock.ts";

/** How long a component that has been replaced or removed may take to end what it was asked to do, in milliseconds. */
export const DRAIN_MS_MAX = 30_000;

/** Components that nobody finds any more, until their last calls have ended and they are closed. */
export class Retirement {
  readonly #clock: Clock;
  readonly #stop: AbortSignal;
  readonly #pending = new Set<Promise<void>>();

  /** @param stop ends all waiting: the sidecar is closing */
  constructor(clock: Clock, stop: AbortSignal) {
    this.#clock = clock;
    this.#stop = stop;
  }

  /** How many are still open. */
  get size(): number {
    return this.#pending.size;
  }

  /**
   * Closes when all that is given has settled, at the latest after `DRAIN_MS_MAX`. Resolves when that is done.
   * @param onLate told when it was not settled by then
   */
  add(settled: Promise<unknown>, close: () => Promise<void>, onLate: () => void): Promise<void> {
    const pending = this.#end(settled, close, onLate).finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
    return pending;
  }

  /** Resolves when all are closed. */
  async ended(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async #end(settled: Promise<unknown>, close: () => Promise<void>, onLate: () => void): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const onStop = (): void => limit.resolve();
    const timer = this.#clock.after(DRAIN_MS_MAX, () => {
      onLate();
      limit.resolve();
    });
    this.#stop.addEventListener("abort", onStop, { once: true });
    if (this.#stop.aborted) {
      onStop();
    }
    await Promise.race([settled, limit.promise]);
    this.#stop.removeEventListener("abort", onStop);
    timer.cancel();
    await close();
  }
}

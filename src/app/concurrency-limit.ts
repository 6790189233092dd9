import { GRPC_STATUS } from "../errors/grpc-status.ts";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import { GrpcError } from "../net/grpc/status.ts";

/** Calls that may wait for `--app-max-concurrency` at once; more are refused. */
export const APP_WAITING_CALLS_MAX = 10_000;

interface Waiter {
  readonly admit: () => void;
}

/** Admits so many calls to the app at a time, the others in order of arrival. */
export class ConcurrencyLimit {
  readonly #callsMax: number;
  readonly #waitingMax: number;
  readonly #waiting = new Set<Waiter>();
  #running = 0;

  constructor(callsMax: number, waitingMax = APP_WAITING_CALLS_MAX) {
    this.#callsMax = callsMax;
    this.#waitingMax = waitingMax;
  }

  /**
   * Takes a slot, which `release` gives back.
   *
   * @returns undefined when a slot was free, otherwise what to await
   * @throws GrpcError RESOURCE_EXHAUSTED when too many wait; rejects with the signal's reason
   */
  acquire(signal: CancelSignal | undefined): Promise<void> | undefined {
    if (this.#running < this.#callsMax) {
      this.#running += 1;
      return undefined;
    }
    if (this.#waiting.size >= this.#waitingMax) {
      throw new GrpcError(
        GRPC_STATUS.RESOURCE_EXHAUSTED,
        `${this.#waitingMax} calls wait for the app already; raise --app-max-concurrency (${this.#callsMax}) to let more through`,
      );
    }
    return this.#wait(signal);
  }

  /** Gives a slot back; the next waiting call gets it. */
  release(): void {
    const next = this.#waiting.values().next().value;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next.admit();
  }

  #wait(signal: CancelSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        this.#waiting.delete(waiter);
        if (signal !== undefined) {
          reject(signal.reason);
        }
      };
      const waiter: Waiter = {
        admit: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#waiting.add(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

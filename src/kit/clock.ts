import type { CancelSignal } from "./cancel-signal.ts";

/** A cancellable timer. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as a port, so that simulations and users' tests can run it. Building blocks, components and control-plane roles
 * never read the process's clock themselves.
 */
export interface Clock {
  /** Wall time in milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds on a clock that never goes back; only differences mean anything. */
  monotonicMs(): number;
  /** Runs once after `delayMs`. Timers never keep the process alive. */
  after(delayMs: number, action: () => void): Timer;
  /** Runs every `periodMs` until cancelled. */
  every(periodMs: number, action: () => void): Timer;
}

/** Resolves after `delayMs`, or rejects with the signal's reason. */
export function sleep(clock: Clock, delayMs: number, signal?: CancelSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      if (signal !== undefined) {
        reject(signal.reason);
      }
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

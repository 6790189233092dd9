import { type Clock, sleep } from "../kit/clock.ts";

/** Milliseconds between two attempts to reach the app's port. */
const ATTEMPT_INTERVAL_MS = 100;

/** Whether something accepts connections at the app's address; never rejects. */
export type DialApp = (signal: AbortSignal) => Promise<boolean>;

/** Resolves when the app's port accepts a connection. There is no limit; it rejects with the signal's reason. */
export async function waitForApp(dial: DialApp, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if (await dial(signal)) {
      return;
    }
    await sleep(clock, ATTEMPT_INTERVAL_MS, signal);
  }
}

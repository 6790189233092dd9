import { type Clock, sleep } from "../kit/clock.ts";

/** Milliseconds between two attempts to reach the app's port. */
const ATTEMPT_INTERVAL_MS = 100;

/** What there is at the app's address: something that takes connections, nothing, or no way to tell. */
export type AppLook = "there" | "absent" | "silent";

/** Looks whether something accepts connections at the app's address; never rejects. */
export type DialApp = (signal: AbortSignal) => Promise<AppLook>;

/**
 * Resolves when the app's port accepts a connection. There is no limit; it rejects with the signal's reason.
 * @returns whether the app was seen to be absent before, so that it has begun since
 */
export async function waitForApp(
  dial: DialApp,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly isNew: boolean }> {
  for (let isNew = false; ;) {
    signal.throwIfAborted();
    const look = await dial(signal);
    if (look === "there") {
      return { isNew };
    }
    isNew ||= look === "absent";
    await sleep(clock, ATTEMPT_INTERVAL_MS, signal);
  }
}

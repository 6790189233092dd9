import { type Clock, sleep } from "../kit/clock.ts";
import type { Random } from "../kit/random.ts";

/** Dapr's `DaprBuiltInInitializationRetries`. */
const RETRIES_MAX = 3;
const FIRST_DELAY_MS = 500;
const DELAY_MS_MAX = 1_000;
const DELAY_FACTOR = 1.5;
const JITTER = 0.5;

/**
 * Runs a call that an app must answer before it can be served, up to three times more, 0.25 to 1.5 seconds apart.
 *
 * @throws what the last attempt threw, or the signal's reason
 */
export async function retryInit<T>(
  ports: { readonly clock: Clock; readonly random: Random },
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  let delayMs = FIRST_DELAY_MS;
  for (let retries = 0; ; retries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (retries === RETRIES_MAX || signal.aborted) {
        throw error;
      }
    }
    await sleep(ports.clock, delayMs * (1 - JITTER + 2 * JITTER * ports.random.next()), signal);
    delayMs = Math.min(delayMs * DELAY_FACTOR, DELAY_MS_MAX);
  }
}

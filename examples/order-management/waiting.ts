import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 20;

/** Asks until the answer is yes. False when it wasn't within the time; a question that throws counts as a no. */
export async function waitUntil(ask: () => Promise<boolean>, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const yes = await ask().catch(() => false);
    if (yes) return true;
    if (performance.now() >= deadline) return false;
    await delay(POLL_MS, undefined, { signal });
  }
}

/** The promise, or the signal's reason as soon as it is aborted. */
export async function orAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

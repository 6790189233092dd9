/** How often an awaited condition is looked at, and how long it may take on a busy machine, in milliseconds. */
const POLL_MS = 5;
const PATIENCE_MS = 30_000;

/**
 * Waits for a condition instead of for a time: resolves with the first value that is neither false nor undefined.
 * @throws Error saying what did not come about, with the last failure of `condition` as its cause
 */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) {
        return value;
      }
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`did not come about within ${patienceMs} ms: ${what}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Calls of one bulk request that a store has under way at once, whatever the caller asks for. */
export const BULK_PARALLELISM_MAX = 64;

/**
 * Runs `task` for 0 … count-1 in order, at most `parallelism` at once (0 or less: as many as we allow). A rejection ends
 * the run early; what is under way is waited for.
 */
export async function forEachBounded(
  count: number,
  parallelism: number,
  task: (index: number) => Promise<void>,
): Promise<void> {
  const lanes = Math.min(count, BULK_PARALLELISM_MAX, parallelism <= 0 ? BULK_PARALLELISM_MAX : parallelism);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      try {
        await task(index);
      } catch (error) {
        next = count;
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") {
      throw outcome.reason;
    }
  }
}

/** Does something for each thing, a few at a time and in order; the first failure keeps the rest from being begun. */
export async function forEach<Thing>(
  things: Iterable<Thing>,
  atATime: number,
  run: (thing: Thing) => Promise<void>,
): Promise<void> {
  const queue = things[Symbol.iterator]();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); !failed && next.done !== true; next = queue.next()) {
      try {
        await run(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  // Nothing may still be under way when this ends.
  const lanes = await Promise.allSettled(Array.from({ length: atATime }, lane));
  for (const result of lanes) if (result.status === "rejected") throw result.reason;
}

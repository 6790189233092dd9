/** Resolves in the event loop's next turn, so that what waits for it gets its time between two bounded pieces of work. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

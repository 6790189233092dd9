import { setTimeout as delay } from "node:timers/promises";
import { EtagConflictError } from "./versioned-store.ts";

/** Far more than are ever needed, since later attempts touch fewer records. */
const ATTEMPTS_MAX = 50;
const PAUSE_MS_MAX = 40;

/** Waits after the given number of conflicts. */
export type Pause = (conflicts: number) => Promise<void>;

/** A random time that grows with the conflicts, so that those who met do not meet again. */
export const randomPause: Pause = async (conflicts) => {
  await delay(Math.random() * Math.min(2 ** conflicts, PAUSE_MS_MAX));
};

/**
 * Runs an attempt (read, decide, write), told how many conflicts there were, until no other writer came in between.
 * @throws EtagConflictError when every attempt met one
 */
export async function retryOnConflict<Result>(
  attempt: (conflicts: number) => Promise<Result>,
  pause: Pause,
): Promise<Result> {
  for (let conflicts = 0; ;) {
    try {
      return await attempt(conflicts);
    } catch (error) {
      if (!(error instanceof EtagConflictError) || ++conflicts === ATTEMPTS_MAX) throw error;
      await pause(conflicts);
    }
  }
}

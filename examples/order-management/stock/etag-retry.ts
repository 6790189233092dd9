import { setTimeout as delay } from "node:timers/promises";
import { EtagConflictError } from "./versioned-store.ts";

/** Enough for the most popular code under eight channels, which needs about five. */
const ATTEMPTS_MAX = 50;
const BACKOFF_MS_MAX = 40;

/**
 * Runs an attempt (read, decide, write) until no other writer came in between, after a random pause that grows with
 * each conflict.
 * @throws EtagConflictError when every attempt met one
 */
export async function retryOnConflict<Result>(attempt: () => Promise<Result>, onConflict: () => void): Promise<Result> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof EtagConflictError) || attempts === ATTEMPTS_MAX) throw error;
      onConflict();
      await delay(Math.random() * Math.min(2 ** attempts, BACKOFF_MS_MAX));
    }
  }
}

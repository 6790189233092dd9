/** Milliseconds before the first further attempt; doubles up to the second number. */
export const RESTART_PAUSE_MS_MIN = 1_000;
export const RESTART_PAUSE_MS_MAX = 30_000;

/** What has been up for this long has left its earlier failures behind. */
export const STEADY_MS = 10_000;

/** Pauses between attempts at something that keeps failing. */
export class Backoff {
  #nextMs = RESTART_PAUSE_MS_MIN;

  /** The pause before the next attempt. @param upMs how long the last one had been up */
  next(upMs: number): number {
    if (upMs >= STEADY_MS) {
      this.reset();
    }
    const pauseMs = this.#nextMs;
    this.#nextMs = Math.min(pauseMs * 2, RESTART_PAUSE_MS_MAX);
    return pauseMs;
  }

  reset(): void {
    this.#nextMs = RESTART_PAUSE_MS_MIN;
  }
}

import type { Clock, Timer } from "../kit/clock.ts";

/** How long nothing more must happen, and how long changes may be held back when it never gets quiet, in milliseconds. */
export const QUIET_MS = 100;
export const HELD_MS_MAX = 1_000;

/** Paths of one batch; further ones say nothing new. */
export const BATCH_PATHS_MAX = 100;

/** Many changes in a short time (a save, a checkout, a build) as one. */
export class ChangeBatch {
  readonly #clock: Clock;
  readonly #onChange: (paths: readonly string[]) => void;
  readonly #paths = new Set<string>();
  #quiet: Timer | undefined;
  #limit: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, onChange: (paths: readonly string[]) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  add(path: string): void {
    if (this.#closed) {
      return;
    }
    if (this.#paths.size < BATCH_PATHS_MAX) {
      this.#paths.add(path);
    }
    this.#quiet?.cancel();
    this.#quiet = this.#clock.after(QUIET_MS, () => this.#flush());
    this.#limit ??= this.#clock.after(HELD_MS_MAX, () => this.#flush());
  }

  /** What has not been handed over is dropped. */
  close(): void {
    this.#closed = true;
    this.#clear();
  }

  #flush(): void {
    const paths = [...this.#paths];
    this.#clear();
    this.#onChange(paths);
  }

  #clear(): void {
    this.#paths.clear();
    this.#quiet?.cancel();
    this.#limit?.cancel();
    this.#quiet = undefined;
    this.#limit = undefined;
  }
}

import type { Clock, Timer } from "../../../kit/clock.ts";
import type { JobEntry } from "./job-entry.ts";

/** What could not be done because of the store, to be tried again together after a while; one try at most for each job. */
export class StoreRetries {
  readonly #clock: Clock;
  readonly #delayMs: number;
  #waiting = new Map<JobEntry, () => void>();
  #timer: Timer | undefined;

  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  add(entry: JobEntry, again: () => void): void {
    this.#waiting.set(entry, again);
    this.#timer ??= this.#clock.after(this.#delayMs, () => this.#run());
  }

  forget(entry: JobEntry): void {
    this.#waiting.delete(entry);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#waiting.clear();
  }

  #run(): void {
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const again of waiting.values()) {
      again();
    }
  }
}

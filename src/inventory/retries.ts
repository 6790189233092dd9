import type { Clock, Timer } from "../kit/clock.ts";
import type { ComponentResource } from "../resources/component.ts";
import type { ComponentRetry } from "./types.ts";

/** Milliseconds before the first further attempt; doubles up to the second number. */
export const RETRY_PAUSE_MS_MIN = 1_000;
export const RETRY_PAUSE_MS_MAX = 60_000;

interface Retry {
  readonly resource: ComponentResource;
  readonly pauseMs: number;
  readonly attempts: number;
  /** Since the Unix epoch. */
  readonly dueMs: number;
  readonly timer: Timer;
}

/** When components whose `init` failed are tried again: one timer each, by name. */
export class Retries {
  readonly #clock: Clock;
  readonly #attempt: (resource: ComponentResource) => void;
  readonly #pending = new Map<string, Retry>();
  #closed = false;

  /** `attempt` ends in another `schedule`, or in `cancel`. */
  constructor(clock: Clock, attempt: (resource: ComponentResource) => void) {
    this.#clock = clock;
    this.#attempt = attempt;
  }

  /** Whether this very resource is due or under way, not another one of its name. */
  holds(resource: ComponentResource): boolean {
    return this.#pending.get(resource.name)?.resource === resource;
  }

  /** Pauses as `RETRY_PAUSE_MS_MIN` says the first time, twice as long after each further failure. */
  schedule(resource: ComponentResource): void {
    const last = this.#pending.get(resource.name);
    last?.timer.cancel();
    if (this.#closed) {
      return;
    }
    const pauseMs = last?.resource === resource ? Math.min(last.pauseMs * 2, RETRY_PAUSE_MS_MAX) : RETRY_PAUSE_MS_MIN;
    const timer = this.#clock.after(pauseMs, () => this.#attempt(resource));
    const attempts = last?.resource === resource ? last.attempts + 1 : 1;
    this.#pending.set(resource.name, { resource, pauseMs, attempts, dueMs: this.#clock.now() + pauseMs, timer });
  }

  /** Undefined: the component of that name is not tried again. */
  of(name: string): ComponentRetry | undefined {
    const pending = this.#pending.get(name);
    return pending === undefined ? undefined : { attempts: pending.attempts, nextAttemptMs: pending.dueMs };
  }

  cancel(name: string): void {
    this.#pending.get(name)?.timer.cancel();
    this.#pending.delete(name);
  }

  /** Nothing is scheduled any more. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#pending.values()) {
      timer.cancel();
    }
    this.#pending.clear();
  }
}

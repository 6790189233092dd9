import type { Clock, Timer } from "../../kit/clock.ts";

/** Waits between attempts to subscribe at a broker that refuses, in milliseconds. */
const WAIT_MS = 500;
const WAIT_MS_MAX = 60_000;
const WAIT_FACTOR = 1.5;

/** Why a subscription is not live. */
export interface StartFailure {
  readonly reason: string;
  readonly attempts: number;
  /** When it is tried again, in milliseconds since the Unix epoch; undefined: never. */
  readonly nextAttemptMs: number | undefined;
}

/** Subscriptions whose start failed, by their keys, and when each is tried again. */
export class StartFailures {
  readonly #clock: Clock;
  readonly #failures = new Map<string, { readonly failure: StartFailure; readonly timer: Timer | undefined }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): StartFailure | undefined {
    return this.#failures.get(key)?.failure;
  }

  keys(): readonly string[] {
    return [...this.#failures.keys()];
  }

  /** Another attempt will not help. */
  refused(key: string, reason: string): void {
    const attempts = this.#attemptsSoFar(key) + 1;
    this.forget(key);
    this.#failures.set(key, { failure: { reason, attempts, nextAttemptMs: undefined }, timer: undefined });
  }

  /** Calls `again` after a wait that grows with each failure of this key. */
  failed(key: string, reason: string, again: () => void): void {
    const attempts = this.#attemptsSoFar(key) + 1;
    this.forget(key);
    const waitMs = Math.min(WAIT_MS * WAIT_FACTOR ** (attempts - 1), WAIT_MS_MAX);
    const timer = this.#clock.after(waitMs, again);
    this.#failures.set(key, { failure: { reason, attempts, nextAttemptMs: this.#clock.now() + waitMs }, timer });
  }

  /** It is live, or nobody wants it any more. */
  forget(key: string): void {
    this.#failures.get(key)?.timer?.cancel();
    this.#failures.delete(key);
  }

  clear(): void {
    for (const key of this.keys()) {
      this.forget(key);
    }
  }

  #attemptsSoFar(key: string): number {
    return this.#failures.get(key)?.failure.attempts ?? 0;
  }
}

import type { Clock } from "../kit/clock.ts";
import type { Random } from "../kit/random.ts";

/** When to try again: the rules of github.com/cenkalti/backoff v4, which Dapr retries with. */
export type BackoffRule =
  | { readonly policy: "constant"; readonly intervalMs: number; readonly retriesMax: number | undefined }
  | ExponentialRule;

export interface ExponentialRule {
  readonly policy: "exponential";
  readonly initialIntervalMs: number;
  readonly multiplier: number;
  /** Share of an interval by which it may be shorter or longer. */
  readonly randomizationFactor: number;
  /** Limits the interval before it is randomized. */
  readonly intervalMaxMs: number;
  /** Since the first attempt began; no retry would start later. 0: no limit. */
  readonly elapsedMaxMs: number;
  /** Undefined: no limit. */
  readonly retriesMax: number | undefined;
}

/** Go counts in nanoseconds, and an interval's upper end is part of it. */
const NANOSECOND_MS = 1e-6;

/** The waits of one run. */
export class Backoff {
  readonly #rule: BackoffRule;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #startedMs: number;
  #retries = 0;
  #intervalMs: number;

  /** Starts counting elapsed time. */
  constructor(rule: BackoffRule, clock: Clock, random: Random) {
    this.#rule = rule;
    this.#clock = clock;
    this.#random = random;
    this.#intervalMs = rule.policy === "constant" ? rule.intervalMs : rule.initialIntervalMs;
    this.#startedMs = clock.monotonicMs();
  }

  /** Milliseconds until the next attempt; undefined: there is none. */
  next(): number | undefined {
    const rule = this.#rule;
    if (rule.retriesMax !== undefined && this.#retries >= rule.retriesMax) {
      return undefined;
    }
    this.#retries++;
    if (rule.policy === "constant") {
      return rule.intervalMs;
    }
    const elapsedMs = this.#clock.monotonicMs() - this.#startedMs;
    const waitMs = randomized(this.#intervalMs, rule.randomizationFactor, this.#random.next());
    this.#intervalMs =
      this.#intervalMs >= rule.intervalMaxMs / rule.multiplier
        ? rule.intervalMaxMs
        : this.#intervalMs * rule.multiplier;
    return rule.elapsedMaxMs !== 0 && elapsedMs + waitMs > rule.elapsedMaxMs ? undefined : waitMs;
  }
}

/** @param random in [0, 1) */
function randomized(intervalMs: number, factor: number, random: number): number {
  if (factor === 0) {
    return intervalMs;
  }
  const delta = factor * intervalMs;
  return intervalMs - delta + random * (2 * delta + NANOSECOND_MS);
}

/** The first waits of a rule in the middle of what chance may make of them: for people to read. */
export function retryScheduleMs(rule: BackoffRule, waitsMax: number): readonly number[] {
  const waits: number[] = [];
  const count = Math.min(waitsMax, rule.retriesMax ?? waitsMax);
  let intervalMs = rule.policy === "constant" ? rule.intervalMs : rule.initialIntervalMs;
  while (waits.length < count) {
    waits.push(intervalMs);
    if (rule.policy === "exponential") {
      intervalMs = Math.min(intervalMs * rule.multiplier, rule.intervalMaxMs);
    }
  }
  return waits;
}

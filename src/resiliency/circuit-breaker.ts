import type { CelProgram } from "../kit/cel.ts";
import type { Clock } from "../kit/clock.ts";
import { goQuote } from "../kit/go-quote.ts";
import type { Logger } from "../kit/logger.ts";
import type { BreakerState } from "./observer.ts";
import { PolicyError } from "./policy-error.ts";

/** What breakers of one policy have in common. */
export interface BreakerRule {
  /** The policy's name. */
  readonly name: string;
  /** Calls let through while half open, and good ones in a row that close the breaker again. */
  readonly requestsMax: number;
  /** After so long a time closed the counts start over; 0: never. */
  readonly intervalMs: number;
  /** Time open until a call is let through again. */
  readonly timeoutMs: number;
  /** Asked after each failure while closed; undefined: more than five failures in a row. */
  readonly trip: CelProgram | undefined;
}

const CONSECUTIVE_FAILURES_MAX = 5;

/** A circuit breaker with the states and counts of github.com/sony/gobreaker v0.5, which Dapr uses. */
export class CircuitBreaker {
  readonly #name: string;
  readonly #rule: BreakerRule;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #state: BreakerState = "closed";
  /** Tells calls that began in an earlier state or interval, which no longer count. */
  #generation = 0;
  #expiryMs = Number.POSITIVE_INFINITY;
  #requests = 0;
  #totalSuccesses = 0;
  #totalFailures = 0;
  #consecutiveSuccesses = 0;
  #consecutiveFailures = 0;

  constructor(name: string, rule: BreakerRule, clock: Clock, logger: Logger) {
    this.#name = name;
    this.#rule = rule;
    this.#clock = clock;
    this.#logger = logger;
    this.#startGeneration(clock.monotonicMs());
  }

  /** The state now: an open breaker turns half open, and a closed one forgets its counts, when it is looked at. */
  get state(): BreakerState {
    const nowMs = this.#clock.monotonicMs();
    if (this.#expiryMs < nowMs) {
      if (this.#state === "closed") {
        this.#startGeneration(nowMs);
      } else {
        this.#turn("half-open", nowMs);
      }
    }
    return this.#state;
  }

  /**
   * A call begins.
   * @returns what `end` wants to know
   * @throws PolicyError when it must not
   */
  begin(): number {
    const { state } = this;
    if (state === "open") {
      throw new PolicyError("breakerOpen");
    }
    if (state === "half-open" && this.#requests >= this.#rule.requestsMax) {
      throw new PolicyError("tooManyRequests");
    }
    this.#requests++;
    return this.#generation;
  }

  /** @param generation what `begin` has returned */
  end(generation: number, succeeded: boolean): void {
    const { state } = this;
    if (generation !== this.#generation) {
      return;
    }
    if (succeeded) {
      this.#succeeded(state);
    } else {
      this.#failed(state);
    }
  }

  #succeeded(state: BreakerState): void {
    this.#totalSuccesses++;
    this.#consecutiveSuccesses++;
    this.#consecutiveFailures = 0;
    if (state === "half-open" && this.#consecutiveSuccesses >= this.#rule.requestsMax) {
      this.#turn("closed", this.#clock.monotonicMs());
    }
  }

  #failed(state: BreakerState): void {
    if (state === "closed") {
      this.#totalFailures++;
      this.#consecutiveFailures++;
      this.#consecutiveSuccesses = 0;
      if (!this.#trips()) {
        return;
      }
    }
    this.#turn("open", this.#clock.monotonicMs());
  }

  /** An expression that cannot be evaluated, or gives no boolean, never trips. */
  #trips(): boolean {
    const { trip } = this.#rule;
    if (trip === undefined) {
      return this.#consecutiveFailures > CONSECUTIVE_FAILURES_MAX;
    }
    try {
      return (
        trip({
          requests: BigInt(this.#requests),
          totalSuccesses: BigInt(this.#totalSuccesses),
          totalFailures: BigInt(this.#totalFailures),
          consecutiveSuccesses: BigInt(this.#consecutiveSuccesses),
          consecutiveFailures: BigInt(this.#consecutiveFailures),
        }) === true
      );
    } catch {
      return false;
    }
  }

  #turn(state: BreakerState, nowMs: number): void {
    const before = this.#state;
    this.#state = state;
    this.#startGeneration(nowMs);
    this.#logger.info(`Circuit breaker ${goQuote(this.#name)} changed state from ${before} to ${state}`);
  }

  #startGeneration(nowMs: number): void {
    const { intervalMs, timeoutMs } = this.#rule;
    this.#generation++;
    this.#requests = 0;
    this.#totalSuccesses = 0;
    this.#totalFailures = 0;
    this.#consecutiveSuccesses = 0;
    this.#consecutiveFailures = 0;
    this.#expiryMs =
      this.#state === "open"
        ? nowMs + timeoutMs
        : this.#state === "closed" && intervalMs > 0
          ? nowMs + intervalMs
          : Number.POSITIVE_INFINITY;
  }
}

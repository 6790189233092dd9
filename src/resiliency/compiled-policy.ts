import { Cancellation, NEVER_CANCELLED, type CancelSignal } from "../kit/cancel-signal.ts";
import { sleep, type Clock } from "../kit/clock.ts";
import { formatGoDuration } from "../kit/duration.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import type { Random } from "../kit/random.ts";
import { Backoff, type BackoffRule } from "./backoff.ts";
import type { CircuitBreaker } from "./circuit-breaker.ts";
import type { TargetObserver } from "./observer.ts";
import { PolicyError } from "./policy-error.ts";
import { matchesStatus, type StatusMatch } from "./status-match.ts";
import type { FailureStatus, Policy, PolicyRun } from "./types.ts";

export interface RetryRule {
  readonly backoff: BackoffRule;
  readonly match: StatusMatch;
}

export interface PolicyParts {
  /** As log lines name the operation (`component[store] output`). */
  readonly name: string;
  /** For one attempt; undefined: no limit. */
  readonly timeoutMs: number | undefined;
  readonly retry: RetryRule | undefined;
  readonly breaker: CircuitBreaker | undefined;
  readonly observer: TargetObserver | undefined;
}

export interface PolicyDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What came of one attempt. */
interface Outcome<T> {
  readonly kind: "good" | "bad" | "thrown";
  readonly result?: T;
  readonly error?: unknown;
  readonly status?: FailureStatus | undefined;
  /** The breaker let nothing through, which no retry changes. */
  readonly refused?: true;
}

/** A timeout in a breaker in retries: the order of Dapr's runner (`pkg/resiliency/policy.go`). */
export class CompiledPolicy implements Policy {
  readonly repeats: boolean;
  readonly #parts: PolicyParts;
  readonly #deps: PolicyDeps;

  constructor(parts: PolicyParts, deps: PolicyDeps) {
    this.#parts = parts;
    this.#deps = deps;
    this.repeats = parts.retry !== undefined && parts.retry.backoff.retriesMax !== 0;
  }

  async run<T>(
    attempt: (signal: CancelSignal, number: number) => Promise<T>,
    how: PolicyRun<T> = PLAIN_RUN,
  ): Promise<T> {
    const { retry } = this.#parts;
    this.#countExecution();
    const run = new Run(this.#parts, this.#deps, attempt, how);
    const outcome =
      retry === undefined || how.repeatable === false ? await run.attempt(1) : await this.#repeat(run, retry, how);
    if (outcome.kind === "thrown") {
      throw outcome.error;
    }
    return outcome.result as T;
  }

  async #repeat<T>(run: Run<T>, retry: RetryRule, how: PolicyRun<T>): Promise<Outcome<T>> {
    const { clock, random, logger } = this.#deps;
    const backoff = new Backoff(retry.backoff, clock, random);
    for (let number = 1; ; number++) {
      const outcome = await run.attempt(number);
      if (outcome.kind === "good") {
        if (number > 1) {
          logger.info(`Recovered processing operation ${this.#parts.name} after ${number} attempts`);
        }
        return outcome;
      }
      if (!mayMend(outcome, retry.match, how)) {
        return outcome;
      }
      const { signal } = how;
      const waitMs = signal?.aborted === true ? undefined : backoff.next();
      if (waitMs === undefined) {
        throwIfCancelled(signal);
        return outcome;
      }
      if (number === 1) {
        this.#tellRetry(outcome, waitMs);
      }
      if (outcome.kind === "bad") {
        how.discard?.(outcome.result as T);
      }
      await sleep(clock, waitMs, signal);
    }
  }

  /** Once for a run, as in Dapr: what follows is told when it recovers. */
  #tellRetry(outcome: Outcome<unknown>, waitMs: number): void {
    const { name, observer } = this.#parts;
    const { logger } = this.#deps;
    observer?.activated("retry");
    logger.warn(`Error processing operation ${name}. Retrying in ${formatGoDuration(waitMs)}…`);
    if (logger.enabled("debug")) {
      logger.debug(`Error for operation ${name} was: ${reasonOf(outcome)}`);
    }
  }

  #countExecution(): void {
    const { observer, timeoutMs, retry, breaker } = this.#parts;
    if (observer === undefined) {
      return;
    }
    if (timeoutMs !== undefined) observer.executed("timeout");
    if (retry !== undefined) observer.executed("retry");
    if (breaker !== undefined) observer.executed("circuitbreaker", breaker.state);
  }
}

const PLAIN_RUN: PolicyRun<unknown> = {};

/** Errors without a status are always worth another attempt. */
function mayMend<T>(outcome: Outcome<T>, match: StatusMatch, how: PolicyRun<T>): boolean {
  if (outcome.refused === true || (outcome.kind === "thrown" && how.isPermanent?.(outcome.error) === true)) {
    return false;
  }
  return outcome.status === undefined || matchesStatus(match, outcome.status);
}

function reasonOf({ kind, status, error }: Outcome<unknown>): string {
  if (kind === "thrown") {
    return errorMessage(error);
  }
  return status === undefined || status.kind === "none" ? "a failure" : `status ${status.code}`;
}

function throwIfCancelled(signal: CancelSignal | undefined): void {
  if (signal?.aborted === true) {
    throw signal.reason;
  }
}

/** One call under a policy, attempt by attempt. */
class Run<T> {
  readonly #parts: PolicyParts;
  readonly #clock: Clock;
  readonly #call: (signal: CancelSignal, number: number) => Promise<T>;
  readonly #how: PolicyRun<T>;
  #timedOut = false;

  constructor(
    parts: PolicyParts,
    { clock }: PolicyDeps,
    call: (signal: CancelSignal, number: number) => Promise<T>,
    how: PolicyRun<T>,
  ) {
    this.#parts = parts;
    this.#clock = clock;
    this.#call = call;
    this.#how = how;
  }

  /** Never rejects. */
  async attempt(number: number): Promise<Outcome<T>> {
    const { breaker, observer } = this.#parts;
    if (breaker === undefined) {
      return this.#judged(number);
    }
    const before = breaker.state;
    let generation: number;
    try {
      generation = breaker.begin();
    } catch (error) {
      return { kind: "thrown", error, refused: true };
    }
    const outcome = await this.#judged(number);
    breaker.end(generation, outcome.kind === "good");
    const after = breaker.state;
    if (after !== before) {
      observer?.activated("circuitbreaker", after);
    }
    return outcome;
  }

  async #judged(number: number): Promise<Outcome<T>> {
    const { judge, statusOf, signal } = this.#how;
    const { timeoutMs } = this.#parts;
    try {
      const result = await (timeoutMs === undefined
        ? this.#call(signal ?? NEVER_CANCELLED, number)
        : this.#timed(timeoutMs, number));
      const status = judge?.(result);
      return status === undefined ? { kind: "good", result } : { kind: "bad", result, status };
    } catch (error) {
      return { kind: "thrown", error, status: statusOf?.(error) };
    }
  }

  /** Gives up waiting when time is over; what the attempt still answers is discarded. */
  #timed(timeoutMs: number, number: number): Promise<T> {
    const { signal, discard } = this.#how;
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const cancellation = new Cancellation();
      let waiting = true;
      const settle = (): void => {
        waiting = false;
        timer.cancel();
        signal?.removeEventListener("abort", onAbort);
      };
      const giveUp = (reason: Error): void => {
        settle();
        reject(reason);
        cancellation.abort(reason);
      };
      const onAbort = (): void => giveUp(signal?.reason ?? NEVER_CANCELLED.reason);
      const timer = this.#clock.after(timeoutMs, () => {
        this.#tellTimeout();
        giveUp(new PolicyError("timeout"));
      });
      signal?.addEventListener("abort", onAbort, { once: true });
      const pending = this.#begin(cancellation, number);
      const inTime = (): boolean => {
        if (waiting) {
          settle();
          resolve(pending);
          return true;
        }
        return false;
      };
      pending.then((result) => inTime() || discard?.(result), inTime);
    });
  }

  /** A function that throws instead of rejecting must not leave the timer behind. */
  async #begin(signal: CancelSignal, number: number): Promise<T> {
    return this.#call(signal, number);
  }

  /** Once for a run. */
  #tellTimeout(): void {
    if (!this.#timedOut) {
      this.#timedOut = true;
      this.#parts.observer?.activated("timeout");
    }
  }
}

import type { FlowRule } from "./rules.ts";
import { SlidingWindow } from "./sliding-window.ts";

/** Sentinel's own window where a rule names no interval, and the longest that it divides into buckets. */
const DEFAULT_INTERVAL_MS = 1_000;
const DIVIDED_INTERVAL_MS_MAX = 10_000;
const BUCKET_MS = 500;
const PASSED = 0;
const COLD_FACTOR = 3;

/** Undefined: refused. Otherwise milliseconds to wait. */
export type FlowVerdict = number | undefined;

/** One flow rule and what it remembers. Passed requests of `counted` are to be told to `passed`. */
export class FlowControl {
  /** The resource whose requests count. */
  readonly counted: string;
  readonly #rule: FlowRule;
  readonly #window: SlidingWindow;
  readonly #warmUp: WarmUp | undefined;
  #lastPassedMs = Number.NEGATIVE_INFINITY;

  constructor(rule: FlowRule) {
    this.#rule = rule;
    this.counted = rule.relationStrategy === 1 ? rule.refResource : rule.resource;
    const intervalMs = rule.statIntervalInMs === 0 ? DEFAULT_INTERVAL_MS : rule.statIntervalInMs;
    const isDivided = intervalMs <= DIVIDED_INTERVAL_MS_MAX && intervalMs % BUCKET_MS === 0;
    this.#window = new SlidingWindow(intervalMs, isDivided ? intervalMs / BUCKET_MS : 1, 1);
    this.#warmUp = rule.tokenCalculateStrategy === 1 ? new WarmUp(rule) : undefined;
  }

  passed(nowMs: number): void {
    this.#window.add(PASSED, 1, nowMs);
  }

  /** Whether one more request may come now, or after which time. */
  check(nowMs: number): FlowVerdict {
    const threshold = this.#threshold(nowMs);
    if (this.#rule.controlBehavior === 0) {
      return this.#window.sum(PASSED, nowMs) + 1 > threshold ? undefined : 0;
    }
    return threshold < 1 ? undefined : this.#spread(threshold, nowMs);
  }

  #threshold(nowMs: number): number {
    if (this.#warmUp === undefined) {
      return this.#rule.threshold;
    }
    const { bucketMs, intervalMs } = this.#window;
    const before = this.#window.sum(PASSED, nowMs - bucketMs) / (intervalMs / 1_000);
    return this.#warmUp.threshold(before, nowMs);
  }

  /** Requests one after the other, each so long after the last as the threshold has it. */
  #spread(threshold: number, nowMs: number): FlowVerdict {
    const intervalMs = this.#rule.statIntervalInMs === 0 ? DEFAULT_INTERVAL_MS : this.#rule.statIntervalInMs;
    const gapMs = intervalMs / threshold;
    const turnMs = Math.max(nowMs, this.#lastPassedMs + gapMs);
    if (turnMs - nowMs > this.#rule.maxQueueingTimeMs) {
      return undefined;
    }
    this.#lastPassedMs = turnMs;
    return turnMs - nowMs;
  }
}

/** After a quiet time a resource may be asked for less often, and more so with each second that it is asked for. */
class WarmUp {
  readonly #threshold: number;
  readonly #coldFactor: number;
  readonly #warningTokens: number;
  readonly #tokensMax: number;
  readonly #slope: number;
  #tokens = 0;
  #filledAtMs = 0;

  constructor({ threshold, warmUpPeriodSec, warmUpColdFactor }: FlowRule) {
    this.#threshold = threshold;
    this.#coldFactor = warmUpColdFactor <= 1 ? COLD_FACTOR : warmUpColdFactor;
    this.#warningTokens = Math.trunc((warmUpPeriodSec * threshold) / (this.#coldFactor - 1));
    this.#tokensMax = this.#warningTokens + Math.trunc((2 * warmUpPeriodSec * threshold) / (1 + this.#coldFactor));
    this.#slope = (this.#coldFactor - 1) / threshold / (this.#tokensMax - this.#warningTokens);
  }

  /** @param passedPerSecond in the time before */
  threshold(passedPerSecond: number, nowMs: number): number {
    this.#fill(passedPerSecond, nowMs - (nowMs % 1_000));
    const above = this.#tokens - this.#warningTokens;
    return above < 0 ? this.#threshold : 1 / (above * this.#slope + 1 / this.#threshold);
  }

  #fill(passedPerSecond: number, secondMs: number): void {
    if (secondMs <= this.#filledAtMs && this.#filledAtMs !== 0) {
      return;
    }
    const grown = this.#tokens + ((secondMs - this.#filledAtMs) * this.#threshold) / 1_000;
    const grows =
      this.#tokens < this.#warningTokens ||
      (this.#tokens > this.#warningTokens && passedPerSecond < Math.trunc(this.#threshold / this.#coldFactor));
    const filled = Math.min(this.#tokensMax, Math.trunc(grows ? grown : this.#tokens));
    this.#tokens = Math.max(0, filled - Math.trunc(passedPerSecond));
    this.#filledAtMs = secondMs;
  }
}

import type { BreakerRule } from "./rules.ts";
import { SlidingWindow } from "./sliding-window.ts";

const BAD = 0;
const ALL = 1;
const BY_SLOWNESS = 0;
const BY_NUMBER = 2;

/** One circuit breaker rule: closed, open until a time, or half open while probes are under way. */
export class Breaker {
  readonly #rule: BreakerRule;
  readonly #window: SlidingWindow;
  #state: "closed" | "open" | "halfOpen" = "closed";
  #retryAtMs = 0;
  #probes = 0;

  constructor(rule: BreakerRule) {
    this.#rule = rule;
    const { statIntervalMs, statSlidingWindowBucketCount: buckets } = rule;
    this.#window = new SlidingWindow(statIntervalMs, buckets > 0 && statIntervalMs % buckets === 0 ? buckets : 1, 2);
  }

  /** Whether a request may pass; the first after the pause is a probe. */
  tryPass(nowMs: number): boolean {
    if (this.#state === "closed") {
      return true;
    }
    if (this.#state === "open" && nowMs >= this.#retryAtMs) {
      this.#state = "halfOpen";
      return true;
    }
    return this.#state === "halfOpen" && this.#rule.probeNum > 0;
  }

  /** A request that passed here was refused elsewhere: had it been the probe, the next one is. */
  undo(): void {
    if (this.#state === "halfOpen" && this.#probes === 0) {
      this.#state = "open";
    }
  }

  completed(tookMs: number, failed: boolean, nowMs: number): void {
    const isBad = this.#rule.strategy === BY_SLOWNESS ? tookMs > this.#rule.maxAllowedRtMs : failed;
    this.#window.add(ALL, 1, nowMs);
    this.#window.add(BAD, isBad ? 1 : 0, nowMs);
    if (this.#state === "halfOpen") {
      this.#probed(isBad, nowMs);
    } else if (this.#state === "closed" && this.#isTooBad(nowMs)) {
      this.#open(nowMs);
    }
  }

  #isTooBad(nowMs: number): boolean {
    const all = this.#window.sum(ALL, nowMs);
    const bad = this.#window.sum(BAD, nowMs);
    const { minRequestAmount, strategy, threshold } = this.#rule;
    return all >= minRequestAmount && (strategy === BY_NUMBER ? bad : bad / all) >= threshold;
  }

  #probed(isBad: boolean, nowMs: number): void {
    if (isBad) {
      this.#open(nowMs);
      return;
    }
    this.#probes += 1;
    if (this.#probes >= this.#rule.probeNum) {
      this.#state = "closed";
      this.#probes = 0;
      this.#window.reset();
    }
  }

  #open(nowMs: number): void {
    this.#state = "open";
    this.#probes = 0;
    this.#retryAtMs = nowMs + this.#rule.retryTimeoutMs;
  }
}

import { loadavg } from "node:os";
import type { SystemRule } from "./rules.ts";
import { SlidingWindow } from "./sliding-window.ts";

const PASSED = 0;
const COMPLETED = 1;
const TOOK_MS = 2;
const INTERVAL_MS = 1_000;
const BUCKETS = 2;
const BBR = 1;
/** What a request takes at least where nothing has been measured, in milliseconds; Sentinel's. */
const TOOK_MS_DEFAULT = 60_000;

/** The rules about all requests together, and what is known of these. */
export class SystemGuard {
  readonly #rules: readonly SystemRule[];
  readonly #window = new SlidingWindow(INTERVAL_MS, BUCKETS, 3);
  #concurrency = 0;
  #fastest = { ms: TOOK_MS_DEFAULT, untilMs: 0 };

  constructor(rules: readonly SystemRule[]) {
    this.#rules = rules;
  }

  check(nowMs: number): boolean {
    return this.#rules.every((rule) => this.#holds(rule, nowMs));
  }

  passed(nowMs: number): void {
    this.#concurrency += 1;
    this.#window.add(PASSED, 1, nowMs);
  }

  completed(tookMs: number, nowMs: number): void {
    this.#concurrency -= 1;
    this.#window.add(COMPLETED, 1, nowMs);
    this.#window.add(TOOK_MS, tookMs, nowMs);
    if (tookMs < this.#fastest.ms || nowMs >= this.#fastest.untilMs) {
      this.#fastest = { ms: tookMs, untilMs: nowMs + INTERVAL_MS };
    }
  }

  #holds({ metricType, triggerCount, strategy }: SystemRule, nowMs: number): boolean {
    switch (metricType) {
      case 0:
        return (loadavg()[0] ?? 0) <= triggerCount || (strategy === BBR && this.#fits(nowMs));
      case 1: {
        const completed = this.#window.sum(COMPLETED, nowMs);
        return (completed === 0 ? 0 : this.#window.sum(TOOK_MS, nowMs) / completed) < triggerCount;
      }
      case 2:
        return this.#concurrency < triggerCount;
      default:
        return this.#window.sum(PASSED, nowMs) < triggerCount;
    }
  }

  /** No more is under way than what was answered at best would take at its fastest. */
  #fits(nowMs: number): boolean {
    const answeredPerSecond = this.#window.peak(COMPLETED, nowMs) * BUCKETS;
    return this.#concurrency <= 1 || this.#concurrency <= (answeredPerSecond * this.#fastest.ms) / 1_000;
  }
}

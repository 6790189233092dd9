import type { Clock, Timer } from "../kit/clock.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";

export interface AppHealthOptions {
  readonly probeIntervalMs: number;
  /** At most the interval. */
  readonly probeTimeoutMs: number;
  /** Failures in a row that make the app unhealthy. */
  readonly threshold: number;
  /** Why the app is not well, or undefined; the signal ends the attempt at the timeout. */
  readonly probe: (signal: AbortSignal) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Told of each change, in order; it must not throw. */
export type AppHealthListener = (healthy: boolean) => void;

/**
 * Probes the app. It counts as unhealthy until the first probe succeeds, and again after `threshold` failures in a row;
 * one success is enough to recover.
 */
export class AppHealth {
  readonly #options: AppHealthOptions;
  readonly #logger: Logger;
  readonly #listeners = new Set<AppHealthListener>();
  readonly #stop = new AbortController();
  #failures: number;
  #timer: Timer | undefined;
  #probing = false;

  /** @throws Error for settings that Dapr refuses too */
  constructor(options: AppHealthOptions) {
    if (options.probeIntervalMs <= 0) {
      throw new Error("probe interval must be larger than 0");
    }
    if (options.probeTimeoutMs > options.probeIntervalMs) {
      throw new Error("app health checks probe timeouts must be smaller than probe intervals");
    }
    this.#options = options;
    this.#logger = options.logger.scope("dapr.apphealth");
    this.#failures = options.threshold;
  }

  get healthy(): boolean {
    return this.#failures < this.#options.threshold;
  }

  onChange(listener: AppHealthListener): void {
    this.#listeners.add(listener);
  }

  /** Probes at once and then at every interval until `close`. */
  start(): void {
    this.#logger.info("App health probes starting");
    this.#timer = this.#options.clock.every(this.#options.probeIntervalMs, () => void this.#probe());
    void this.#probe();
  }

  close(): void {
    if (this.#stop.signal.aborted) {
      return;
    }
    this.#stop.abort(new Error("the app's health is no longer watched"));
    this.#timer?.cancel();
    this.#listeners.clear();
    this.#logger.info("App health probes stopping");
  }

  /** Probes never overlap: an interval that ends while one runs is skipped. */
  async #probe(): Promise<void> {
    if (this.#probing || this.#stop.signal.aborted) {
      return;
    }
    this.#probing = true;
    const timeout = new AbortController();
    const timer = this.#options.clock.after(this.#options.probeTimeoutMs, () =>
      timeout.abort(new Error("the health probe timed out")),
    );
    const problem = await this.#ask(AbortSignal.any([timeout.signal, this.#stop.signal]));
    timer.cancel();
    this.#probing = false;
    if (!this.#stop.signal.aborted) {
      this.#count(problem);
    }
  }

  async #ask(signal: AbortSignal): Promise<string | undefined> {
    const gaveUp = new Promise<string>((resolve) => {
      signal.addEventListener("abort", () => resolve(`no answer within ${this.#options.probeTimeoutMs} ms`), {
        once: true,
      });
    });
    try {
      return await Promise.race([this.#options.probe(signal), gaveUp]);
    } catch (error) {
      const reason = errorMessage(error);
      this.#logger.error(`App health probe could not complete with error: ${reason}`);
      return `Probe error: ${reason}`;
    }
  }

  #count(problem: string | undefined): void {
    const before = this.healthy;
    this.#failures = problem === undefined ? 0 : Math.min(this.#failures + 1, this.#options.threshold);
    if (before === this.healthy) {
      return;
    }
    if (this.healthy) {
      this.#logger.info("App entered healthy status");
    } else {
      this.#logger.warn(`App entered un-healthy status: ${problem}`);
    }
    for (const listener of this.#listeners) {
      listener(this.healthy);
    }
  }
}

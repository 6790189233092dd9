import { mtlsMetrics } from "./names.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter } from "./series.ts";

/** Counts how the sidecar comes to its certificates. */
export class MtlsMetrics {
  readonly #appId: string;
  readonly #initialized: MetricFamily<Counter>;
  readonly #initFailed: MetricFamily<Counter>;
  readonly #rotated: MetricFamily<Counter>;
  readonly #rotationFailed: MetricFamily<Counter>;

  constructor(registry: MetricRegistry, appId: string) {
    this.#appId = appId;
    this.#initialized = registry.counter(mtlsMetrics.initialized);
    this.#initFailed = registry.counter(mtlsMetrics.initFailed);
    this.#rotated = registry.counter(mtlsMetrics.rotated);
    this.#rotationFailed = registry.counter(mtlsMetrics.rotationFailed);
  }

  initialized(): void {
    this.#initialized.series([this.#appId]).increment();
  }

  /** @param reason one of Dapr's few words, as `sign` or `sentry_token` */
  initFailed(reason: string): void {
    this.#initFailed.series([this.#appId, reason]).increment();
  }

  renewed(): void {
    this.#rotated.series([this.#appId]).increment();
  }

  renewalFailed(reason: string): void {
    this.#rotationFailed.series([this.#appId, reason]).increment();
  }
}

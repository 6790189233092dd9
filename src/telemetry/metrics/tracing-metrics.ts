import { ownMetrics } from "./names.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter } from "./series.ts";

/** Counts spans that never reached a back end. */
export class TracingMetrics {
  readonly #appId: string;
  readonly #dropped: MetricFamily<Counter>;

  constructor(registry: MetricRegistry, appId: string) {
    this.#appId = appId;
    this.#dropped = registry.counter(ownMetrics.spansDropped);
  }

  dropped(exporter: string, count: number): void {
    this.#dropped.series([this.#appId, exporter]).add(count);
  }
}

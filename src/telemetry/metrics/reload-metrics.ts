import { reloadMetrics } from "./names.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter } from "./series.ts";

/** How often changed resources came into effect. */
export class ReloadMetrics {
  readonly #appId: string;
  readonly #reloads: MetricFamily<Counter>;

  constructor(registry: MetricRegistry, appId: string) {
    this.#appId = appId;
    this.#reloads = registry.counter(reloadMetrics.reloads);
  }

  /** @param success everything that had changed is in use */
  reloaded(success: boolean): void {
    this.#reloads.series([this.#appId, String(success)]).increment();
  }
}

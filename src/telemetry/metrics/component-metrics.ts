import { componentMetrics } from "./names.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter } from "./series.ts";

/** Counts what the inventory loads. */
export class ComponentMetrics {
  readonly #appId: string;
  readonly #loaded: MetricFamily<Counter>;
  readonly #initialized: MetricFamily<Counter>;
  readonly #initFailed: MetricFamily<Counter>;

  constructor(registry: MetricRegistry, appId: string) {
    this.#appId = appId;
    this.#loaded = registry.counter(componentMetrics.loaded);
    this.#initialized = registry.counter(componentMetrics.initialized);
    this.#initFailed = registry.counter(componentMetrics.initFailed);
  }

  loaded(): void {
    this.#loaded.series([this.#appId]).increment();
  }

  /** @param type full type name (`state.redis`) */
  initialized(type: string): void {
    this.#initialized.series([this.#appId, type]).increment();
  }

  /**
   * @param reason Dapr's word for the step that failed (`init`, `creation`)
   * @param name the resource's name
   */
  initFailed(type: string, reason: string, name: string): void {
    this.#initFailed.series([this.#appId, type, reason, name]).increment();
  }
}

import { jobMetrics } from "./component-call-names.ts";
import type { SidecarLabels } from "./component-calls.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter, Histogram } from "./series.ts";

/** The one operation that Dapr counts. */
const TRIGGER = "job_trigger_op";

/** Counts the triggers of jobs that the app has answered. */
export class JobMetrics {
  readonly #labels: SidecarLabels;
  readonly #success: MetricFamily<Counter>;
  readonly #failure: MetricFamily<Counter>;
  readonly #latency: MetricFamily<Histogram>;

  constructor(registry: MetricRegistry, labels: SidecarLabels) {
    this.#labels = labels;
    this.#success = registry.counter(jobMetrics.successCount);
    this.#failure = registry.counter(jobMetrics.failureCount);
    this.#latency = registry.histogram(jobMetrics.latency);
  }

  /** As in Dapr, what took no time counts, but has no latency. */
  triggered(success: boolean, elapsedMs: number): void {
    const values = [this.#labels.appId, this.#labels.namespace, TRIGGER];
    (success ? this.#success : this.#failure).series(values).increment();
    if (elapsedMs > 0) {
      this.#latency.series([...values, String(success)]).observe(elapsedMs);
    }
  }
}

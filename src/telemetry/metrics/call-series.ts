import type { MetricDefinition } from "./definition.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter, Histogram } from "./series.ts";

/** A count and the latencies of what it counts, under the same labels. */
export interface CallFamily {
  readonly count: MetricFamily<Counter>;
  readonly latency: MetricFamily<Histogram>;
}

export function callFamily(
  registry: MetricRegistry,
  count: MetricDefinition & { readonly kind: "counter" },
  latency: MetricDefinition & { readonly kind: "histogram" },
): CallFamily {
  return { count: registry.counter(count), latency: registry.histogram(latency) };
}

/** The two series of one set of label values, bound with their first observation. */
export class CallSeries {
  readonly #family: CallFamily;
  readonly #values: readonly string[];
  readonly #count: Counter;
  #latency: Histogram | undefined;

  constructor(family: CallFamily, values: readonly string[]) {
    this.#family = family;
    this.#values = values;
    this.#count = family.count.series(values);
  }

  /** As in Dapr, what took no time counts, but has no latency. */
  record(elapsedMs: number): void {
    this.#count.increment();
    if (elapsedMs > 0) {
      (this.#latency ??= this.#family.latency.series(this.#values)).observe(elapsedMs);
    }
  }
}

import type { Logger } from "../../kit/logger.ts";
import { counter, LATENCY_BUCKETS_MS, SIZE_BUCKETS_BYTES, type MetricDefinition } from "./definition.ts";
import { type AnySeries, Family, type MetricFamily } from "./family.ts";
import { LabelRules, type LabelRule } from "./label-rules.ts";
import { Counter, Gauge, Histogram } from "./series.ts";

/** Series of one metric; what comes beyond is counted under `other`, so that labels made from paths cannot fill memory. */
export const SERIES_PER_METRIC_MAX = 1_000;

/** Characters of the exposition that are made in one go, which takes about a millisecond. */
const PIECE_CHARACTERS = 128 * 1024;

const DROPPED = {
  ...counter(
    "outrigger_metric_series_dropped_total",
    "Observations counted under other, because their metric had reached its limit of series.",
    ["metric"],
  ),
  own: true,
} as const;

export interface RegistryOptions {
  /** Before every name that is not our own (`dapr_`). */
  readonly prefix: string;
  readonly logger: Logger;
  /** Upper bounds of latency histograms in milliseconds; Dapr's when absent or empty. */
  readonly latencyBucketsMs?: readonly number[] | undefined;
  readonly rules?: readonly LabelRule[] | undefined;
  readonly seriesPerMetricMax?: number;
}

export type { MetricFamily } from "./family.ts";

/**
 * The metrics of one process or sidecar, rendered in Prometheus' text format 0.0.4. A family without series is not rendered, as in
 * Dapr. There is no default registry.
 */
export class MetricRegistry {
  readonly #options: RegistryOptions;
  readonly #rules: LabelRules;
  readonly #latencyBuckets: readonly number[];
  readonly #families = new Map<string, Family<AnySeries>>();
  readonly #collectors: (() => void)[] = [];
  readonly #dropped: MetricFamily<Counter>;

  /** @throws LabelRuleError */
  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#rules = new LabelRules(options.rules ?? []);
    const bounds = (options.latencyBucketsMs ?? []).filter((bound) => bound > 0).sort((a, b) => a - b);
    this.#latencyBuckets = bounds.length > 0 ? bounds : LATENCY_BUCKETS_MS;
    this.#dropped = this.counter(DROPPED);
  }

  /** What has been registered, by the name it is exported under. */
  definitions(): ReadonlyMap<string, MetricDefinition> {
    return new Map([...this.#families].map(([name, family]) => [name, family.definition]));
  }

  counter(definition: MetricDefinition & { readonly kind: "counter" }): MetricFamily<Counter> {
    return this.#register(definition, this.#options.prefix, () => new Counter());
  }

  gauge(definition: MetricDefinition & { readonly kind: "gauge" }): MetricFamily<Gauge> {
    return this.#register(definition, this.#options.prefix, () => new Gauge());
  }

  histogram(definition: MetricDefinition & { readonly kind: "histogram" }): MetricFamily<Histogram> {
    const bounds = this.#boundsOf(definition.buckets);
    return this.#register(definition, this.#options.prefix, () => new Histogram(bounds), bounds);
  }

  #boundsOf(buckets: MetricDefinition["buckets"]): readonly number[] {
    if (typeof buckets === "object") {
      return buckets;
    }
    return buckets === "size" ? SIZE_BUCKETS_BYTES : this.#latencyBuckets;
  }

  /** A single number without the registry's prefix, read when the metrics are (`process_resident_memory_bytes`). */
  collected(definition: MetricDefinition & { readonly kind: "counter" | "gauge" }, read: () => number): void {
    const series = this.#register(definition, "", () => new Gauge()).series([]);
    this.#collectors.push(() => series.set(read()));
  }

  /** The whole exposition, families by name and series by label values. */
  render(): string {
    return [...this.pieces()].join("");
  }

  /** The same in pieces that are made in about a millisecond each, when they are asked for. */
  *pieces(): Generator<string, undefined> {
    for (const collect of this.#collectors) {
      collect();
    }
    let piece = "";
    for (const name of [...this.#families.keys()].sort()) {
      for (const lines of this.#families.get(name)?.lines() ?? []) {
        piece += lines;
        if (piece.length >= PIECE_CHARACTERS) {
          yield piece;
          piece = "";
        }
      }
    }
    yield piece;
    return undefined;
  }

  #register<S extends AnySeries>(
    definition: MetricDefinition,
    prefix: string,
    create: () => S,
    bounds: readonly number[] = [],
  ): MetricFamily<S> {
    const name = definition.own === true ? definition.name : prefix + definition.name;
    if (this.#families.has(name)) {
      throw new Error(`metric ${name} is registered twice`);
    }
    const rewrites = definition.labels.map((label) => this.#rules.rewriteOf(definition.name, label));
    const family = new Family({
      name,
      definition,
      rewrites,
      bounds,
      seriesMax: this.#options.seriesPerMetricMax ?? SERIES_PER_METRIC_MAX,
      create,
      overflowed: this.#watcherOf(name),
    });
    this.#families.set(name, family);
    return family;
  }

  /** Counts what a family counts under `other`, and says it once. */
  #watcherOf(name: string): () => void {
    let dropped: Counter | undefined;
    return () => {
      if (dropped === undefined) {
        dropped = this.#dropped.series([name]);
        const max = this.#options.seriesPerMetricMax ?? SERIES_PER_METRIC_MAX;
        this.#options.logger.warn(
          `metric ${name} has reached its limit of ${max} series; further label values are counted under "other". ` +
            "Lower the cardinality with spec.metrics.http.increasedCardinality, pathMatching or rules of the Configuration",
        );
      }
      dropped.increment();
    };
  }
}

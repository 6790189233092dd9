import type { Logger } from "../../kit/logger.ts";
import { LATENCY_BUCKETS_MS, SIZE_BUCKETS_BYTES, type MetricDefinition } from "./definition.ts";
import { escapeHelp, formatGoFloat, formatLabels } from "./exposition.ts";
import { LabelRules, type LabelRewrite, type LabelRule } from "./label-rules.ts";
import { Counter, Gauge, Histogram } from "./series.ts";

/** Series of one metric; what comes beyond is counted nowhere, so that labels made from paths cannot fill memory. */
export const SERIES_PER_METRIC_MAX = 10_000;

/** OpenCensus, Dapr's library, takes printable ASCII of this length at most as a label's value. */
const LABEL_VALUE = /^[\x20-\x7e]{0,255}$/;

export interface RegistryOptions {
  /** Before every name that is not our own (`dapr_`). */
  readonly prefix: string;
  readonly logger: Logger;
  /** Upper bounds of latency histograms in milliseconds; Dapr's when absent or empty. */
  readonly latencyBucketsMs?: readonly number[] | undefined;
  readonly rules?: readonly LabelRule[] | undefined;
  readonly seriesPerMetricMax?: number;
}

/** All series of one metric. Bind a series once and keep it: binding costs a map look-up, observing does not. */
export interface MetricFamily<S> {
  /** The series with these label values, in the order of the definition's labels. Values OpenCensus refuses become empty. */
  series(values: readonly string[]): S;
}

type AnySeries = Counter | Gauge | Histogram;

/**
 * The metrics of one sidecar, rendered in Prometheus' text format 0.0.4. A family without series is not rendered, as in
 * Dapr. There is no default registry.
 */
export class MetricRegistry {
  readonly #options: RegistryOptions;
  readonly #rules: LabelRules;
  readonly #latencyBuckets: readonly number[];
  readonly #families = new Map<string, Family<AnySeries>>();
  readonly #collectors: (() => void)[] = [];

  /** @throws LabelRuleError */
  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#rules = new LabelRules(options.rules ?? []);
    const bounds = (options.latencyBucketsMs ?? []).filter((bound) => bound > 0).sort((a, b) => a - b);
    this.#latencyBuckets = bounds.length > 0 ? bounds : LATENCY_BUCKETS_MS;
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
    for (const collect of this.#collectors) {
      collect();
    }
    let text = "";
    for (const name of [...this.#families.keys()].sort()) {
      text += this.#families.get(name)?.render() ?? "";
    }
    return text;
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
    const max = this.#options.seriesPerMetricMax ?? SERIES_PER_METRIC_MAX;
    const family = new Family(name, definition, rewrites, bounds, create, max, this.#options.logger);
    this.#families.set(name, family);
    return family;
  }
}

class Family<S extends AnySeries> implements MetricFamily<S> {
  readonly #name: string;
  readonly #definition: MetricDefinition;
  readonly #rewrites: readonly (LabelRewrite | undefined)[];
  readonly #bounds: readonly number[];
  readonly #create: () => S;
  readonly #seriesMax: number;
  readonly #logger: Logger;
  /** By label text, which is also what is printed. */
  readonly #series = new Map<string, S>();
  /** The same by the values as they are given, before rewriting and formatting, which cost more than all else on a call. */
  readonly #byValues = new Map<string, S>();
  /** Stands for every series beyond the limit; never rendered. */
  #overflow: S | undefined;

  constructor(
    name: string,
    definition: MetricDefinition,
    rewrites: readonly (LabelRewrite | undefined)[],
    bounds: readonly number[],
    create: () => S,
    seriesMax: number,
    logger: Logger,
  ) {
    this.#name = name;
    this.#definition = definition;
    this.#rewrites = rewrites;
    this.#bounds = bounds;
    this.#create = create;
    this.#seriesMax = seriesMax;
    this.#logger = logger;
  }

  series(values: readonly string[]): S {
    const key = values.join("\0");
    const kept = this.#byValues.get(key);
    if (kept !== undefined) {
      return kept;
    }
    const series = this.#labelled(values);
    if (this.#byValues.size < this.#seriesMax) {
      this.#byValues.set(key, series);
    }
    return series;
  }

  #labelled(values: readonly string[]): S {
    const shown = values.map((value, index) => {
      // As in Dapr, no rule sees an empty value.
      const rewritten = value === "" ? value : (this.#rewrites[index]?.(value) ?? value);
      return LABEL_VALUE.test(rewritten) ? rewritten : "";
    });
    const labels = formatLabels(this.#definition.labels, shown);
    const known = this.#series.get(labels);
    if (known !== undefined) {
      return known;
    }
    if (this.#series.size >= this.#seriesMax) {
      return this.#overflowing();
    }
    const created = this.#create();
    this.#series.set(labels, created);
    return created;
  }

  render(): string {
    if (this.#series.size === 0) {
      return "";
    }
    let text = `# HELP ${this.#name} ${escapeHelp(this.#definition.help)}\n# TYPE ${this.#name} ${this.#definition.kind}\n`;
    for (const labels of [...this.#series.keys()].sort()) {
      const series = this.#series.get(labels);
      if (series instanceof Histogram) {
        text += renderHistogram(this.#name, labels, series, this.#bounds);
      } else if (series !== undefined) {
        text += `${this.#name}${braced(labels)} ${formatGoFloat(series.value)}\n`;
      }
    }
    return text;
  }

  #overflowing(): S {
    if (this.#overflow === undefined) {
      this.#overflow = this.#create();
      this.#logger.warn(
        `metric ${this.#name} has reached its limit of ${this.#seriesMax} series; further label values are not counted. ` +
          "Lower the cardinality with spec.metrics.http.increasedCardinality, pathMatching or rules of the Configuration",
      );
    }
    return this.#overflow;
  }
}

function renderHistogram(name: string, labels: string, histogram: Histogram, bounds: readonly number[]): string {
  const before = labels === "" ? "" : `${labels},`;
  let text = "";
  let cumulative = 0;
  for (let bucket = 0; bucket <= bounds.length; bucket++) {
    cumulative += histogram.counts[bucket] ?? 0;
    const bound = bounds[bucket] ?? Number.POSITIVE_INFINITY;
    text += `${name}_bucket{${before}le="${formatGoFloat(bound)}"} ${formatGoFloat(cumulative)}\n`;
  }
  return `${text}${name}_sum${braced(labels)} ${formatGoFloat(histogram.sum)}\n${name}_count${braced(labels)} ${formatGoFloat(cumulative)}\n`;
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

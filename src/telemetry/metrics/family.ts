import type { MetricDefinition } from "./definition.ts";
import { escapeHelp, formatGoFloat, formatLabels } from "./exposition.ts";
import type { LabelRewrite } from "./label-rules.ts";
import { type Counter, type Gauge, Histogram } from "./series.ts";

/** Stands for every value of a label that came after its metric had reached its limit of series. */
export const OTHER = "other";

/** Labels whose values come from outside: paths, names of topics, apps, types, operations. The others have few values. */
export const OPEN_LABELS: ReadonlySet<string> = new Set([
  "actor_type",
  "component",
  "componentName",
  "concurrency_key",
  "dst_app_id",
  "grpc_client_method",
  "grpc_server_method",
  "host_namespace",
  "name",
  "operation",
  "path",
  "reason",
  "src_app_id",
  "target",
  "topic",
  "trustDomain",
]);

/** Series under `other` of one metric, told apart by their remaining labels; beyond, only the app id is kept. */
export const OVERFLOW_SERIES_MAX = 100;

/** OpenCensus, Dapr's library, takes printable ASCII of this length at most as a label's value. */
const LABEL_VALUE = /^[\x20-\x7e]{0,255}$/;

export type AnySeries = Counter | Gauge | Histogram;

/** All series of one metric. Bind a series once and keep it: binding costs a map look-up, observing does not. */
export interface MetricFamily<S> {
  /**
   * The series with these label values, in the order of the definition's labels. Values OpenCensus refuses become empty.
   * Beyond the metric's limit of series it is the one whose labels from outside are all `other`.
   */
  series(values: readonly string[]): S;
}

/** How one family is made; see `MetricRegistry`. */
export interface FamilyOptions<S> {
  readonly name: string;
  readonly definition: MetricDefinition;
  readonly rewrites: readonly (LabelRewrite | undefined)[];
  readonly bounds: readonly number[];
  readonly seriesMax: number;
  create(): S;
  /** Called each time a series beyond the limit is asked for. */
  overflowed(): void;
}

export class Family<S extends AnySeries> implements MetricFamily<S> {
  readonly #options: FamilyOptions<S>;
  readonly #rewritten: boolean;
  /** By label text, which is also what is printed. */
  readonly #series = new Map<string, S>();
  /** The same by the values as they are given, before rewriting and formatting, which cost more than all else on a call. */
  readonly #byValues = new Map<string, S>();
  /** By the values that remain when those from outside are `other`. */
  readonly #overflow = new Map<string, S>();

  constructor(options: FamilyOptions<S>) {
    this.#options = options;
    this.#rewritten = options.rewrites.some((rewrite) => rewrite !== undefined);
  }

  get definition(): MetricDefinition {
    return this.#options.definition;
  }

  series(values: readonly string[]): S {
    const key = values.join("\0");
    const kept = this.#byValues.get(key);
    if (kept !== undefined) {
      return kept;
    }
    const { seriesMax } = this.#options;
    // Without rules as many values as series means that these values have none.
    if (this.#byValues.size >= seriesMax && !this.#rewritten && this.#series.size >= seriesMax) {
      return this.#overflowing(values);
    }
    const shown = values.map((value, index) => this.#shown(value, index));
    const series = this.#labelled(shown);
    if (series === undefined) {
      return this.#overflowing(shown);
    }
    if (this.#byValues.size < seriesMax) {
      this.#byValues.set(key, series);
    }
    return series;
  }

  /** The lines of the family, the head first, one series at a time. */
  *lines(): Generator<string> {
    if (this.#series.size === 0) {
      return;
    }
    const { name, definition, bounds } = this.#options;
    yield `# HELP ${name} ${escapeHelp(definition.help)}\n# TYPE ${name} ${definition.kind}\n`;
    for (const labels of [...this.#series.keys()].sort()) {
      const series = this.#series.get(labels);
      if (series instanceof Histogram) {
        yield renderHistogram(name, labels, series, bounds);
      } else if (series !== undefined) {
        yield `${name}${braced(labels)} ${formatGoFloat(series.value)}\n`;
      }
    }
  }

  #shown(value: string, index: number): string {
    // As in Dapr, no rule sees an empty value.
    const rewritten = value === "" ? value : (this.#options.rewrites[index]?.(value) ?? value);
    return LABEL_VALUE.test(rewritten) ? rewritten : "";
  }

  /** Undefined where it would be one series too many. */
  #labelled(shown: readonly string[]): S | undefined {
    const labels = formatLabels(this.#options.definition.labels, shown);
    const known = this.#series.get(labels);
    if (known !== undefined || this.#series.size >= this.#options.seriesMax) {
      return known;
    }
    return this.#add(labels);
  }

  #overflowing(values: readonly string[]): S {
    this.#options.overflowed();
    const told = this.#othered(values, isClosed);
    const known = this.#overflow.get(told.join("\0"));
    if (known !== undefined || this.#overflow.size < OVERFLOW_SERIES_MAX) {
      return known ?? this.#place(told);
    }
    const untold = this.#othered(values, isLast);
    return this.#overflow.get(untold.join("\0")) ?? this.#place(untold);
  }

  #othered(values: readonly string[], keeps: (label: string) => boolean): readonly string[] {
    return this.#options.definition.labels.map((label, index) => (keeps(label) ? (values[index] ?? "") : OTHER));
  }

  #place(values: readonly string[]): S {
    const series = this.#created(values);
    this.#overflow.set(values.join("\0"), series);
    return series;
  }

  #created(values: readonly string[]): S {
    // What is set, not added up, says nothing about many: such a series is not shown.
    if (this.#options.definition.kind === "gauge") {
      return this.#options.create();
    }
    const labels = formatLabels(
      this.#options.definition.labels,
      values.map((value) => (LABEL_VALUE.test(value) ? value : "")),
    );
    return this.#series.get(labels) ?? this.#add(labels);
  }

  #add(labels: string): S {
    const created = this.#options.create();
    this.#series.set(labels, created);
    return created;
  }
}

function isClosed(label: string): boolean {
  return !OPEN_LABELS.has(label);
}

function isLast(label: string): boolean {
  return label === "app_id";
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

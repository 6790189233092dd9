/** One metric as data; its name comes without the registry's prefix, unless it is our own. */
export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
  /** Label names in the order in which `series` takes their values. */
  readonly labels: readonly string[];
  /** Ours and not Dapr's: its name comes whole, without the registry's prefix. */
  readonly own?: true;
  /** Histograms only. */
  readonly buckets?: BucketChoice;
}

export type MetricKind = "counter" | "gauge" | "histogram";

/** Latency bounds can be set by the Configuration, the others are fixed; a metric may have bounds of its own, in order. */
export type BucketChoice = "latency" | "size" | readonly number[];

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** Bounds of size histograms in bytes. */
export const SIZE_BUCKETS_BYTES: readonly number[] = [
  KIB,
  2 * KIB,
  4 * KIB,
  16 * KIB,
  64 * KIB,
  256 * KIB,
  MIB,
  4 * MIB,
  16 * MIB,
  64 * MIB,
  256 * MIB,
  GIB,
  4 * GIB,
];

/** Bounds of latency histograms in milliseconds where the Configuration has no `latencyDistributionBuckets`. */
export const LATENCY_BUCKETS_MS: readonly number[] = [
  1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100, 130, 160, 200, 250, 300, 400, 500, 650, 800, 1_000,
  2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
];

/** The three kinds of rows that tables of metrics are made of. */
export function counter(
  name: string,
  help: string,
  labels: readonly string[],
): MetricDefinition & { readonly kind: "counter" } {
  return { name, help, kind: "counter", labels };
}

export function gauge(
  name: string,
  help: string,
  labels: readonly string[],
): MetricDefinition & { readonly kind: "gauge" } {
  return { name, help, kind: "gauge", labels };
}

export function latency(
  name: string,
  help: string,
  labels: readonly string[],
): MetricDefinition & { readonly kind: "histogram" } {
  return { name, help, kind: "histogram", labels, buckets: "latency" };
}

export function size(
  name: string,
  help: string,
  labels: readonly string[],
): MetricDefinition & { readonly kind: "histogram" } {
  return { name, help, kind: "histogram", labels, buckets: "size" };
}

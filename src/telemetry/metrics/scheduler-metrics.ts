import type { MetricDefinition } from "./definition.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter, Gauge, Histogram } from "./series.ts";

/** Whom a job is for, as the label `type` says it. */
export type JobType = "job" | "actor" | "unknown";

/** Why a sidecar was not understood or not reached. */
export type SidecarError = "send_failed" | "recv_failed" | "auth_failed";

const TYPE = ["type"] as const;
const KEY = ["concurrency_key"] as const;

/** Dapr's (`pkg/scheduler/monitoring`), and ours at the end. */
const METRICS = {
  connected: gauge(
    "sidecars_connected",
    "The number of dapr sidecars actively connected to the scheduler service.",
    [],
  ),
  created: counter("jobs_created_total", "The total number of jobs scheduled.", TYPE),
  createFailed: counter("jobs_created_failed_total", "The total number of failed job creation attempts.", TYPE),
  triggered: counter("jobs_triggered_total", "The total number of successfully triggered jobs.", TYPE),
  failed: counter("jobs_failed_total", "The total number of failed jobs.", TYPE),
  undelivered: counter("jobs_undelivered_total", "The total number of undelivered jobs.", TYPE),
  deleted: counter("jobs_deleted_total", "The total number of deleted jobs.", TYPE),
  bulkDeleted: counter("jobs_bulk_deleted_total", "The total number of bulk job deletion operations.", []),
  latency: {
    name: "scheduler_trigger_latency",
    help: "The total time it takes to trigger a job from the scheduler service.",
    kind: "histogram",
    labels: TYPE,
    buckets: [100, 500, 1_000, 5_000, 10_000],
  },
  inflight: gauge(
    "concurrency_inflight",
    "Current number of in-flight triggers subject to global concurrency limits on this scheduler instance.",
    KEY,
  ),
  pending: gauge(
    "concurrency_pending",
    "Current number of triggers waiting for a concurrency slot on this scheduler instance.",
    KEY,
  ),
  throttled: counter(
    "concurrency_throttled_total",
    "Total number of triggers that were throttled by global concurrency limits.",
    KEY,
  ),
  sidecarErrors: counter(
    "sidecar_errors_total",
    "The total number of sidecar communication and authorization errors.",
    ["reason"],
  ),
  oldestDue: {
    name: "outrigger_scheduler_oldest_due_seconds",
    help: "Age of the oldest due trigger that waits, by what it waits for: the scheduler itself (waiting), the disk (storing), a sidecar's answer (sent), a concurrency limit (gated), or somebody to connect (staged).",
    kind: "gauge",
    labels: ["stage"],
    own: true,
  },
  malformed: {
    name: "outrigger_scheduler_malformed_jobs",
    help: "Stored jobs that cannot be read and are left alone.",
    kind: "gauge",
    labels: [],
    own: true,
  },
} as const;

/** The metrics of one scheduler. */
export class SchedulerMetrics {
  readonly #connected: Gauge;
  readonly #created: MetricFamily<Counter>;
  readonly #createFailed: MetricFamily<Counter>;
  readonly #results: Readonly<Record<"SUCCESS" | "FAILED" | "UNDELIVERABLE", MetricFamily<Counter>>>;
  readonly #deleted: MetricFamily<Counter>;
  readonly #bulkDeleted: MetricFamily<Counter>;
  readonly #latency: MetricFamily<Histogram>;
  readonly #inflight: MetricFamily<Gauge>;
  readonly #pending: MetricFamily<Gauge>;
  readonly #throttled: MetricFamily<Counter>;
  readonly #sidecarErrors: MetricFamily<Counter>;
  readonly #oldestDue: MetricFamily<Gauge>;
  readonly #malformed: Gauge;

  constructor(registry: MetricRegistry) {
    this.#connected = registry.gauge(METRICS.connected).series([]);
    this.#created = registry.counter(METRICS.created);
    this.#createFailed = registry.counter(METRICS.createFailed);
    this.#results = {
      SUCCESS: registry.counter(METRICS.triggered),
      FAILED: registry.counter(METRICS.failed),
      UNDELIVERABLE: registry.counter(METRICS.undelivered),
    };
    this.#deleted = registry.counter(METRICS.deleted);
    this.#bulkDeleted = registry.counter(METRICS.bulkDeleted);
    this.#latency = registry.histogram(METRICS.latency);
    this.#inflight = registry.gauge(METRICS.inflight);
    this.#pending = registry.gauge(METRICS.pending);
    this.#throttled = registry.counter(METRICS.throttled);
    this.#sidecarErrors = registry.counter(METRICS.sidecarErrors);
    this.#oldestDue = registry.gauge(METRICS.oldestDue);
    this.#malformed = registry.gauge(METRICS.malformed).series([]);
  }

  connected(count: number): void {
    this.#connected.set(count);
  }

  created(type: JobType): void {
    this.#created.series([type]).increment();
  }

  createFailed(type: JobType): void {
    this.#createFailed.series([type]).increment();
  }

  /** What became of a trigger; the time is that of those that reached a sidecar. */
  finished(type: JobType, result: "SUCCESS" | "FAILED" | "UNDELIVERABLE", tookMs: number): void {
    this.#results[result].series([type]).increment();
    if (result !== "UNDELIVERABLE") {
      this.#latency.series([type]).observe(Math.trunc(tookMs));
    }
  }

  deleted(type: JobType): void {
    this.#deleted.series([type]).increment();
  }

  bulkDeleted(): void {
    this.#bulkDeleted.series([]).increment();
  }

  inflight(key: string, count: number): void {
    this.#inflight.series([key]).set(count);
  }

  pending(key: string, count: number): void {
    this.#pending.series([key]).set(count);
  }

  throttled(key: string): void {
    this.#throttled.series([key]).increment();
  }

  sidecarError(reason: SidecarError): void {
    this.#sidecarErrors.series([reason]).increment();
  }

  oldestDue(stage: string, seconds: number): void {
    this.#oldestDue.series([stage]).set(seconds);
  }

  malformed(count: number): void {
    this.#malformed.set(count);
  }
}

function counter(
  name: string,
  help: string,
  labels: readonly string[],
): MetricDefinition & { readonly kind: "counter" } {
  return { name: `scheduler_${name}`, help, kind: "counter", labels };
}

function gauge(name: string, help: string, labels: readonly string[]): MetricDefinition & { readonly kind: "gauge" } {
  return { name: `scheduler_${name}`, help, kind: "gauge", labels };
}

import { expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { MetricRegistry } from "./registry.ts";
import { SchedulerMetrics } from "./scheduler-metrics.ts";

/** `pkg/scheduler/monitoring` of 1.18.3: each name with its kind, and the series that one event makes. */
const METRICS: readonly (readonly [string, string, readonly string[], (metrics: SchedulerMetrics) => void])[] = [
  ["sidecars_connected", "gauge", ["sidecars_connected 3"], (metrics) => metrics.connected(3)],
  ["jobs_created_total", "counter", ['jobs_created_total{type="job"} 1'], (metrics) => metrics.created("job")],
  [
    "jobs_created_failed_total",
    "counter",
    ['jobs_created_failed_total{type="unknown"} 1'],
    (metrics) => metrics.createFailed("unknown"),
  ],
  [
    "jobs_triggered_total",
    "counter",
    ['jobs_triggered_total{type="actor"} 1'],
    (metrics) => metrics.finished("actor", "SUCCESS", 1),
  ],
  [
    "jobs_failed_total",
    "counter",
    ['jobs_failed_total{type="job"} 1'],
    (metrics) => metrics.finished("job", "FAILED", 1),
  ],
  [
    "jobs_undelivered_total",
    "counter",
    ['jobs_undelivered_total{type="job"} 1'],
    (metrics) => metrics.finished("job", "UNDELIVERABLE", 1),
  ],
  ["jobs_deleted_total", "counter", ['jobs_deleted_total{type="actor"} 1'], (metrics) => metrics.deleted("actor")],
  ["jobs_bulk_deleted_total", "counter", ["jobs_bulk_deleted_total 1"], (metrics) => metrics.bulkDeleted()],
  [
    "trigger_latency",
    "histogram",
    [
      'trigger_latency_bucket{type="job",le="100"} 0',
      'trigger_latency_bucket{type="job",le="500"} 1',
      'trigger_latency_bucket{type="job",le="1000"} 1',
      'trigger_latency_bucket{type="job",le="5000"} 1',
      'trigger_latency_bucket{type="job",le="10000"} 1',
      'trigger_latency_bucket{type="job",le="+Inf"} 1',
      'trigger_latency_sum{type="job"} 120',
      'trigger_latency_count{type="job"} 1',
    ],
    (metrics) => metrics.finished("job", "SUCCESS", 120.9),
  ],
  [
    "concurrency_inflight",
    "gauge",
    ['concurrency_inflight{concurrency_key="k"} 2'],
    (metrics) => metrics.inflight("k", 2),
  ],
  [
    "concurrency_pending",
    "gauge",
    ['concurrency_pending{concurrency_key="k"} 4'],
    (metrics) => metrics.pending("k", 4),
  ],
  [
    "concurrency_throttled_total",
    "counter",
    ['concurrency_throttled_total{concurrency_key="k"} 1'],
    (metrics) => metrics.throttled("k"),
  ],
  [
    "sidecar_errors_total",
    "counter",
    ['sidecar_errors_total{reason="send_failed"} 1'],
    (metrics) => metrics.sidecarError("send_failed"),
  ],
];

it.each(METRICS)("%s is a %s", (name, kind, series, record) => {
  const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  record(new SchedulerMetrics(registry));
  const lines = registry.render().split("\n");
  const full = `dapr_scheduler_${name}`;
  expect(lines).toContain(`# TYPE ${full} ${kind}`);
  const own = lines.filter(
    (line) => line.replace(/_(bucket|sum|count)?\{.*| .*/, "").startsWith(full) && !line.startsWith("#"),
  );
  expect(own).toEqual(series.map((line) => `dapr_scheduler_${line}`));
});

it("triggers that nobody took have no latency", () => {
  const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  new SchedulerMetrics(registry).finished("job", "UNDELIVERABLE", 1);
  expect(registry.render()).not.toContain("trigger_latency_count");
});

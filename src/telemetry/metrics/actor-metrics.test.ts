import { expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { ActorMetrics } from "./actor-metrics.ts";
import { MetricRegistry } from "./registry.ts";

const OF_TYPE = 'actor_type="t",app_id="app"';
const OF_NONE = 'actor_type="",app_id="app"';

/** `pkg/diagnostics/service_monitoring.go` of 1.18.3, by what is recorded. */
const METRICS: readonly (readonly [string, string, string, (metrics: ActorMetrics) => void])[] = [
  ["status_report_total", "counter", `{${OF_NONE},operation="send"} 1`, (metrics) => metrics.statusReported()],
  [
    "status_report_fail_total",
    "counter",
    `{${OF_NONE},operation="send",reason="EOF"} 1`,
    (metrics) => metrics.statusReportFailed("EOF"),
  ],
  [
    "table_operation_recv_total",
    "counter",
    `{${OF_NONE},operation="lock"} 1`,
    (metrics) => metrics.orderReceived("lock"),
  ],
  ["rebalanced_total", "counter", `{${OF_TYPE}} 1`, (metrics) => metrics.rebalanced("t")],
  ["deactivated_total", "counter", `{${OF_TYPE}} 1`, (metrics) => metrics.deactivated("t")],
  ["deactivated_failed_total", "counter", `{${OF_TYPE}} 1`, (metrics) => metrics.deactivationFailed("t")],
  ["pending_actor_calls", "gauge", `{${OF_TYPE}} 2`, (metrics) => metrics.pendingCalls("t", 2)],
  ["timers", "gauge", `{${OF_TYPE}} 3`, (metrics) => metrics.timers("t", 3)],
  ["timers_fired_total", "counter", `{${OF_TYPE},success="true"} 1`, (metrics) => metrics.timerFired("t", true)],
  [
    "reminders_fired_total",
    "counter",
    `{${OF_TYPE},success="false"} 1`,
    (metrics) => metrics.reminderFired("t", false),
  ],
];

it.each(METRICS)("%s is a %s", (name, kind, series, record) => {
  const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  record(new ActorMetrics(registry, "app"));
  const lines = registry.render().split("\n");
  expect(lines).toContain(`# TYPE dapr_runtime_actor_${name} ${kind}`);
  expect(lines.filter((line) => line.startsWith("dapr_runtime_actor_"))).toEqual([
    `dapr_runtime_actor_${name}${series}`,
  ]);
});

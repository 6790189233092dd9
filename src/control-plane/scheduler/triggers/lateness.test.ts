import { expect, it } from "vitest";
import { createHealth } from "../../../blocks/control/health.ts";
import { silentLogger } from "../../../kit/silent-logger.ts";
import { VirtualClock } from "../../../kit/virtual-clock.fixture.ts";
import { MetricRegistry } from "../../../telemetry/metrics/registry.ts";
import { LATE_MS } from "../limits.ts";
import { SchedulerMetrics } from "../../../telemetry/metrics/scheduler-metrics.ts";
import { watchLateness } from "./lateness.ts";

it.each([
  ["waiting", false],
  ["storing", false],
  ["sent", true],
  ["gated", true],
  ["staged", true],
])("a trigger that is late in the stage %s leaves health %s", (stage, healthy) => {
  const clock = new VirtualClock();
  const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  const metrics = new SchedulerMetrics(registry);
  const health = createHealth();
  let late = 0;
  const target = health.addTarget("scheduler-triggers");
  const stop = watchLateness({ waitMs: (asked) => (asked === stage ? late : 0) }, target, {
    clock,
    metrics,
    logger: silentLogger,
  });
  expect(health.isReady).toBe(true);
  late = LATE_MS + 500;
  clock.advance(1_000);
  expect(health.isReady).toBe(healthy);
  expect(registry.render()).toContain(`outrigger_scheduler_oldest_due_seconds{stage="${stage}"} 10.5\n`);
  late = 0;
  clock.advance(1_000);
  expect(health.isReady).toBe(true);
  stop();
  expect(clock.pendingTimers).toBe(0);
});

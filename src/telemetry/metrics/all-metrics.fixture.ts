import { silentLogger } from "../../kit/silent-logger.ts";
import { systemClock } from "../../kit/system-clock.ts";
import type { MetricDefinition } from "./definition.ts";
import { PlacementMetrics } from "./placement-metrics.ts";
import { collectProcessMetrics, ownProcess } from "./process-metrics.ts";
import { MetricRegistry } from "./registry.ts";
import { createRuntimeMetrics, DEFAULT_METRICS_SETTINGS } from "./runtime-metrics.ts";
import { SchedulerMetrics } from "./scheduler-metrics.ts";
import { SentryMetrics } from "./sentry-metrics.ts";

/** What exports metrics: the sidecar, and the services of the control plane. */
export const PROCESSES = ["sidecar", "placement", "scheduler", "sentry"] as const;
export type MetricsProcess = (typeof PROCESSES)[number];

/** What each process registers with everything switched on, by the name it exports. */
export function registeredMetrics(): Readonly<Record<MetricsProcess, ReadonlyMap<string, MetricDefinition>>> {
  const facts = ownProcess(systemClock);
  const role = (register: (registry: MetricRegistry) => unknown): ReadonlyMap<string, MetricDefinition> => {
    const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
    collectProcessMetrics(registry, facts);
    register(registry);
    return registry.definitions();
  };
  const { registry } = createRuntimeMetrics({
    appId: "app",
    namespace: "default",
    settings: { ...DEFAULT_METRICS_SETTINGS, recordErrorCodes: true },
    logger: silentLogger,
    process: facts,
  });
  return {
    sidecar: registry.definitions(),
    placement: role((each) => new PlacementMetrics(each)),
    scheduler: role((each) => new SchedulerMetrics(each)),
    sentry: role((each) => new SentryMetrics(each)),
  };
}

import { expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { PlacementMetrics } from "./placement-metrics.ts";
import { MetricRegistry } from "./registry.ts";

it("counts sidecars and hosts by namespace, and says who leads, as 1.18.3 does (pkg/placement/monitoring)", () => {
  const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  const metrics = new PlacementMetrics(registry);
  metrics.recordRuntimes("default", 3, 2);
  metrics.recordRuntimes("other", 1, 0);
  metrics.recordLeader(true);
  const lines = registry.render().split("\n");
  expect(lines.filter((line) => line.startsWith("dapr_"))).toEqual([
    'dapr_placement_actor_runtimes_total{host_namespace="default"} 2',
    'dapr_placement_actor_runtimes_total{host_namespace="other"} 0',
    "dapr_placement_leader_status 1",
    "dapr_placement_raft_leader_status 1",
    'dapr_placement_runtimes_total{host_namespace="default"} 3',
    'dapr_placement_runtimes_total{host_namespace="other"} 1',
  ]);
  expect(lines.filter((line) => line.startsWith("# TYPE")).every((line) => line.endsWith(" gauge"))).toBe(true);
});

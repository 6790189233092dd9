import { expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { JobMetrics } from "./job-metrics.ts";
import { MetricRegistry } from "./registry.ts";

it("counts triggers under Dapr's names", () => {
  const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  const metrics = new JobMetrics(registry, { appId: "a", namespace: "" });
  metrics.triggered(true, 2);
  metrics.triggered(false, 0);
  metrics.triggered(false, 3);
  const labels = 'app_id="a",namespace="",operation="job_trigger_op"';
  const lines = registry.render().split("\n");
  expect(lines).toContain(`dapr_component_job_success_count{${labels}} 1`);
  expect(lines).toContain(`dapr_component_job_failure_count{${labels}} 2`);
  expect(lines).toContain(`dapr_component_job_latencies_sum{${labels},success="true"} 2`);
  expect(lines).toContain(`dapr_component_job_latencies_count{${labels},success="false"} 1`);
});

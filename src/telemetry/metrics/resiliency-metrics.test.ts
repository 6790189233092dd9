import { expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { MetricRegistry } from "./registry.ts";
import { ResiliencyMetrics } from "./resiliency-metrics.ts";

it("counts policies under the resource's name, and shows a breaker's state as one of four", () => {
  const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  const metrics = new ResiliencyMetrics(registry, "me");
  metrics.loaded("mine", "ns");
  const target = metrics.target("mine", "ns", "outbound", "app_server");
  target.executed("retry");
  target.executed("retry");
  target.activated("retry");
  target.executed("circuitbreaker", "closed");
  target.activated("circuitbreaker", "open");
  target.executed("circuitbreaker", "open");
  const samples = registry
    .render()
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const labels = (policy: string, status: string): string =>
    `{app_id="me",flow_direction="outbound",name="mine",namespace="ns",policy="${policy}",status="${status}",target="app_server"}`;
  expect(samples).toEqual([
    `dapr_resiliency_activations_total${labels("circuitbreaker", "open")} 1`,
    `dapr_resiliency_activations_total${labels("retry", "")} 1`,
    `dapr_resiliency_cb_state${labels("circuitbreaker", "closed")} 0`,
    `dapr_resiliency_cb_state${labels("circuitbreaker", "half-open")} 0`,
    `dapr_resiliency_cb_state${labels("circuitbreaker", "open")} 1`,
    `dapr_resiliency_cb_state${labels("circuitbreaker", "unknown")} 0`,
    `dapr_resiliency_count${labels("circuitbreaker", "closed")} 1`,
    `dapr_resiliency_count${labels("circuitbreaker", "open")} 1`,
    `dapr_resiliency_count${labels("retry", "")} 2`,
    `dapr_resiliency_loaded{app_id="me",name="mine",namespace="ns"} 1`,
  ]);
});

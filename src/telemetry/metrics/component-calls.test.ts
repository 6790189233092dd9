import { describe, expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { createComponentCallMetrics } from "./component-calls.ts";
import { PubSubCallMetrics } from "./pubsub-metrics.ts";
import { MetricRegistry } from "./registry.ts";

const LABELS = { appId: "myapp", namespace: "prod" };

function registry(): MetricRegistry {
  return new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
}

function samples(metrics: MetricRegistry): string[] {
  return metrics
    .render()
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#") && !line.includes("_bucket"));
}

describe("createComponentCallMetrics", () => {
  it("counts calls by component, operation and success under Dapr's names", () => {
    const metrics = registry();
    const store = createComponentCallMetrics(metrics, LABELS).state.of("store");
    store.record("get", true, 2);
    store.record("get", true, 3);
    store.record("get", false, 1);
    const labels = 'app_id="myapp",component="store",namespace="prod",operation="get"';
    expect(samples(metrics)).toEqual([
      `dapr_component_state_count{${labels},success="false"} 1`,
      `dapr_component_state_count{${labels},success="true"} 2`,
      `dapr_component_state_latencies_sum{${labels},success="false"} 1`,
      `dapr_component_state_latencies_count{${labels},success="false"} 1`,
      `dapr_component_state_latencies_sum{${labels},success="true"} 5`,
      `dapr_component_state_latencies_count{${labels},success="true"} 2`,
    ]);
  });

  it("leaves the operation out where there is only one, and the latency where there is none", () => {
    const metrics = registry();
    createComponentCallMetrics(metrics, LABELS).inputBindings.of("tick").record("", true, 0);
    expect(samples(metrics)).toEqual([
      'dapr_component_input_binding_count{app_id="myapp",component="tick",namespace="prod",success="true"} 1',
    ]);
  });

  it("has one counter for a name, whoever asks", () => {
    const { secrets } = createComponentCallMetrics(registry(), LABELS);
    expect(secrets.of("vault")).toBe(secrets.of("vault"));
    expect(secrets.of("vault")).not.toBe(secrets.of("other"));
  });
});

describe("PubSubCallMetrics", () => {
  it("counts messages out by success, and the events of a bulk that were taken", () => {
    const metrics = registry();
    const pubsub = new PubSubCallMetrics(metrics, LABELS);
    pubsub.egress("broker", "orders", true, 1);
    pubsub.egress("broker", "orders", false, 1);
    pubsub.bulkEgress("broker", "orders", false, 3, 1);
    pubsub.bulkEgress("broker", "orders", false, 0, 1);
    const labels = 'app_id="myapp",component="broker",namespace="prod"';
    expect(samples(metrics).filter((line) => line.includes("count{") && !line.includes("latencies"))).toEqual([
      `dapr_component_pubsub_egress_bulk_count{${labels},success="false",topic="orders"} 2`,
      `dapr_component_pubsub_egress_bulk_event_count{${labels},success="true",topic="orders"} 3`,
      `dapr_component_pubsub_egress_count{${labels},success="false",topic="orders"} 1`,
      `dapr_component_pubsub_egress_count{${labels},success="true",topic="orders"} 1`,
    ]);
  });

  it("counts messages in by what became of them", () => {
    const metrics = registry();
    const pubsub = new PubSubCallMetrics(metrics, LABELS);
    pubsub.ingress("broker", "orders", "success", "", 2);
    pubsub.ingress("broker", "orders", "drop", "success", 2);
    pubsub.ingress("broker", "orders", "drop", "", 0);
    const labels = 'app_id="myapp",component="broker",namespace="prod"';
    expect(samples(metrics).filter((line) => line.startsWith("dapr_component_pubsub_ingress_count"))).toEqual([
      `dapr_component_pubsub_ingress_count{${labels},process_status="drop",status="drop",topic="orders"} 1`,
      `dapr_component_pubsub_ingress_count{${labels},process_status="drop",status="success",topic="orders"} 1`,
      `dapr_component_pubsub_ingress_count{${labels},process_status="success",status="success",topic="orders"} 1`,
    ]);
  });

  it("counts bulks in under the constant that Dapr writes for the component", () => {
    const metrics = registry();
    const pubsub = new PubSubCallMetrics(metrics, LABELS);
    pubsub.bulkIngress("broker", "orders", { success: 2, retry: 0, drop: 1 }, 4);
    const labels = 'app_id="myapp",component="pubsubName",namespace="prod"';
    expect(samples(metrics).filter((line) => !line.includes("latencies"))).toEqual([
      `dapr_component_pubsub_ingress_bulk_count{${labels},process_status="",topic="orders"} 1`,
      `dapr_component_pubsub_ingress_bulk_event_count{${labels},process_status="drop",topic="orders"} 1`,
      `dapr_component_pubsub_ingress_bulk_event_count{${labels},process_status="success",topic="orders"} 2`,
    ]);
  });
});

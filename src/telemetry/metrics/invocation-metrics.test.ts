import { expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { InvocationMetrics } from "./invocation-metrics.ts";
import { MetricRegistry } from "./registry.ts";

it("counts calls and answers from both ends, streams without latency", () => {
  const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  const metrics = new InvocationMetrics(registry, "me");
  metrics.requestSent("you");
  metrics.requestSent("you");
  metrics.requestSent("you", "streaming");
  metrics.answerReceived("you", 200, 4);
  metrics.answerReceived("you", 200, 6);
  metrics.answerReceived("you", 14, undefined, "streaming");
  metrics.requestReceived("them");
  metrics.answerSent("them", 404);
  metrics.answerSent("them", 404);
  const samples = registry
    .render()
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#") && !line.includes("_bucket"));
  expect(samples).toEqual([
    'dapr_runtime_service_invocation_req_recv_total{app_id="me",src_app_id="them"} 1',
    'dapr_runtime_service_invocation_req_sent_total{app_id="me",dst_app_id="you",type="streaming"} 1',
    'dapr_runtime_service_invocation_req_sent_total{app_id="me",dst_app_id="you",type="unary"} 2',
    'dapr_runtime_service_invocation_res_recv_latency_ms_sum{app_id="me",src_app_id="you",status="200"} 10',
    'dapr_runtime_service_invocation_res_recv_latency_ms_count{app_id="me",src_app_id="you",status="200"} 2',
    'dapr_runtime_service_invocation_res_recv_total{app_id="me",src_app_id="you",status="14",type="streaming"} 1',
    'dapr_runtime_service_invocation_res_recv_total{app_id="me",src_app_id="you",status="200",type="unary"} 2',
    'dapr_runtime_service_invocation_res_sent_total{app_id="me",dst_app_id="them",status="404"} 2',
  ]);
});

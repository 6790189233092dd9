import { expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

async function samples({ sidecar }: TestSidecar): Promise<readonly string[]> {
  const text = await (await fetch(`http://127.0.0.1:${sidecar.ports.metrics ?? 0}/`)).text();
  return text.split("\n").filter((line) => !line.includes("_bucket") && !line.startsWith("#"));
}

it("both ends of a call count it, and the callee its call of the app and the probes of its health", async () => {
  await using app = await startTestApp({
    answer: ({ url }) => (url === "/missing" ? { status: 404, body: "no" } : { body: "yes" }),
  });
  const deps = { shared: createSharedScope() };
  const metrics = { enabled: true, port: 0, listenAddress: "127.0.0.1" };
  await using caller = await startTestSidecar({ appId: "caller", metrics, deps });
  await using callee = await startTestSidecar({
    appId: "callee",
    appPort: app.port,
    appHealth: { enabled: true, path: "/healthz", probeIntervalMs: 60_000, probeTimeoutMs: 60_000, threshold: 1 },
    metrics,
    deps,
  });
  await until("the app is healthy", async () => (await caller.fetch("/v1.0/invoke/callee/method/ok")).ok);
  await caller.fetch("/v1.0/invoke/callee/method/missing", { method: "POST", body: "12345" });

  const sent = await samples(caller);
  const labels = 'app_id="caller",src_app_id="callee"';
  expect(sent.filter((line) => line.includes("service_invocation_req_sent"))).toEqual([
    expect.stringMatching(
      /^dapr_runtime_service_invocation_req_sent_total\{app_id="caller",dst_app_id="callee",type="unary"\} \d+$/,
    ),
  ]);
  expect(sent).toContain(`dapr_runtime_service_invocation_res_recv_total{${labels},status="404",type="unary"} 1`);
  expect(sent).toContain(`dapr_runtime_service_invocation_res_recv_latency_ms_count{${labels},status="404"} 1`);

  const received = await samples(callee);
  expect(received).toContain(
    'dapr_runtime_service_invocation_res_sent_total{app_id="callee",dst_app_id="caller",status="404"} 1',
  );
  expect(received.some((line) => line.startsWith("dapr_runtime_service_invocation_req_recv_total{"))).toBe(true);
  const client = 'app_id="callee",method="POST",path="/missing"';
  expect(received).toContain(`dapr_http_client_completed_count{${client},status="404"} 1`);
  expect(received).toContain(`dapr_http_client_roundtrip_latency_count{${client},status="404"} 1`);
  expect(received).toContain(`dapr_http_client_sent_bytes_sum{${client},status=""} 5`);
  expect(received).toContain('dapr_http_healthprobes_completed_count{app_id="callee",status="200"} 1');
  expect(received).toContain('dapr_http_healthprobes_roundtrip_latency_count{app_id="callee",status="200"} 1');
});

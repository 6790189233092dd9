import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { GetStateRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/state_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { configuration, IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar, type TestSidecarOptions } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const METRICS = { enabled: true, port: 0, listenAddress: "127.0.0.1" };

function startMeasured(options: TestSidecarOptions = {}): Promise<TestSidecar> {
  return startTestSidecar({ resources: IN_MEMORY, metrics: METRICS, ...options });
}

async function scrape(one: TestSidecar): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${one.sidecar.ports.metrics ?? 0}/metrics`);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
  return await response.text();
}

/** The value of the one series with this name and these labels, in any order. */
function valueOf(text: string, name: string, labels: Readonly<Record<string, string>>): number | undefined {
  const line = text
    .split("\n")
    .find(
      (one) =>
        one.startsWith(`${name}{`) &&
        Object.entries(labels).every(([label, value]) => one.includes(`${label}="${value}"`)),
    );
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ") + 1));
}

it("the metrics port tells of HTTP and gRPC calls and of components under Dapr's names", async () => {
  await using one = await startMeasured();
  await one.fetch("/v1.0/state/store/key");
  await one.fetch("/v1.0/state/store/key");
  await one.grpc.call(daprMethods.getState, create(GetStateRequestSchema, { storeName: "store", key: "key" }));
  const text = await until("the calls are counted", async () => {
    const now = await scrape(one);
    return (
      valueOf(now, "dapr_grpc_io_server_completed_rpcs", {
        grpc_server_method: "/dapr.proto.runtime.v1.Dapr/GetState",
        grpc_server_status: "OK",
      }) === 1 && now
    );
  });
  const app = { app_id: "test-app" };
  expect(valueOf(text, "dapr_http_server_request_count", { ...app, method: "GET", status: "204" })).toBe(2);
  expect(valueOf(text, "dapr_http_server_latency_count", { ...app, method: "GET", status: "204" })).toBe(2);
  expect(valueOf(text, "dapr_runtime_component_loaded", app)).toBe(2);
  expect(valueOf(text, "dapr_runtime_component_init_total", { ...app, component: "state.in-memory" })).toBe(1);
  expect(text).toMatch(/^# TYPE dapr_http_server_request_count counter$/m);
  expect(text).toMatch(/^# TYPE dapr_http_server_latency histogram$/m);
  expect(text).not.toContain("dapr_error_code_total");
});

it("with recordErrorCodes every error answered counts by code and category, over both doors", async () => {
  await using one = await startMeasured({ configuration: configuration("  metrics: { recordErrorCodes: true }\n") });
  await one.fetch("/v1.0/state/nowhere/key");
  await one.grpc.failure(daprMethods.getState, create(GetStateRequestSchema, { storeName: "nowhere", key: "key" }));
  await one.fetch("/v1.0/publish/nowhere/topic", { method: "POST", body: "x" });
  const text = await scrape(one);
  expect(
    valueOf(text, "dapr_error_code_total", {
      app_id: "test-app",
      error_code: "ERR_STATE_STORE_NOT_FOUND",
      category: "state",
    }),
  ).toBe(2);
  expect(valueOf(text, "dapr_error_code_total", { error_code: "ERR_PUBSUB_NOT_FOUND", category: "pubsub" })).toBe(1);
});

it("the app's own failures count as failed invocations, unless the request streamed", async () => {
  await using app = await startTestApp({ answer: ({ url }) => ({ status: url === "/gone" ? 410 : 201 }) });
  await using one = await startMeasured({
    appPort: app.port,
    configuration: configuration("  metrics: { recordErrorCodes: true }\n"),
  });
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("x"));
      controller.close();
    },
  });
  await one.fetch("/v1.0/invoke/test-app/method/there");
  await one.fetch("/v1.0/invoke/test-app/method/gone");
  await one.fetch("/v1.0/invoke/test-app/method/gone", { method: "POST", body: "x" });
  await one.fetch("/v1.0/invoke/test-app/method/gone", { method: "POST", body, duplex: "half" });
  const labels = { error_code: "ERR_DIRECT_INVOKE", category: "service-invocation" };
  expect(valueOf(await scrape(one), "dapr_error_code_total", labels)).toBe(2);
});

it("a Configuration can switch metrics off", async () => {
  await using one = await startMeasured({ configuration: configuration("  metrics: { enabled: false }\n") });
  expect(one.sidecar.ports.metrics).toBeUndefined();
});

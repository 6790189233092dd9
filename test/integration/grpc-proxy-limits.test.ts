import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { type OrdersApp, startOrdersApp } from "../harness/orders-app.ts";
import { OrdersClient } from "../harness/orders-client.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const to = { "dapr-app-id": "callee" };

describe("proxied calls", () => {
  let app: OrdersApp;
  let callee: TestSidecar;
  let caller: TestSidecar;
  let orders: OrdersClient;
  beforeAll(async () => {
    app = await startOrdersApp({ streamsMax: 100 });
    const deps = { shared: createSharedScope() };
    callee = await startTestSidecar({
      appId: "callee",
      appPort: app.port,
      appProtocol: "grpc",
      maxBodyBytes: 2_000,
      deps,
    });
    caller = await startTestSidecar({ appId: "caller", deps });
    orders = new OrdersClient(caller.sidecar.ports.grpc);
  });
  afterAll(async () => {
    orders[Symbol.dispose]();
    await Promise.all([caller.stop(), callee.stop()]);
    await app[Symbol.asyncDispose]();
  });

  it("over --max-body-size are refused with the limit", async () => {
    expect(await orders.failure(Buffer.alloc(2_001, "a"), to)).toMatchObject({
      code: 8,
      details: "grpc: received message larger than max (2001 vs. 2000)",
    });
    expect(await orders.failure(Buffer.alloc(1_999, "a"), to)).toMatchObject({
      code: 8,
      details: "grpc: received message larger than max (2006 vs. 2000)",
    });
    expect((await orders.place(Buffer.alloc(1_900, "a"), to)).text).toHaveLength(1_907);
  });

  it("get more connections to the app when it lets no more streams into one", async () => {
    const calls = Array.from({ length: 150 }, () => orders.place("hold", to));
    await until("all calls are at the app", () => app.held.length === 150);
    expect(app.connections()).toBeGreaterThan(1);
    for (const { answer } of app.held) answer();
    expect(await Promise.all(calls)).toHaveLength(150);
  });
});

it("--app-max-concurrency counts proxied calls, until they turn out to be streams", async () => {
  await using app = await startOrdersApp();
  await using one = await startTestSidecar({
    appId: "callee",
    appPort: app.port,
    appProtocol: "grpc",
    appMaxConcurrency: 1,
  });
  using orders = new OrdersClient(one.sidecar.ports.grpc);
  const first = orders.place("hold", to);
  await until("the first call is at the app", () => app.held.length === 1);
  const second = orders.place("hold", to);
  expect(await orders.failure("tea", to, 100)).toMatchObject({ code: 4 });
  expect(app.held).toHaveLength(1);
  app.held[0]?.answer();
  await first;
  await until("the second call is at the app", () => app.held.length === 2);
  app.held[1]?.answer();
  await second;
  const chat = orders.openChat(to);
  await chat.say("a");
  await chat.say("b");
  expect((await orders.place("tea", to)).text).toBe("placed tea");
  await chat.end();
});

it("an unhealthy app gets no proxied calls", async () => {
  await using app = await startOrdersApp({ healthy: () => false });
  await using one = await startTestSidecar(
    {
      appId: "callee",
      appPort: app.port,
      appProtocol: "grpc",
      appHealth: { enabled: true, path: "", probeIntervalMs: 50, probeTimeoutMs: 40, threshold: 1 },
    },
    false,
  );
  using orders = new OrdersClient(one.sidecar.ports.grpc);
  const failure = await until("the app has failed a probe", async () => {
    const given = await orders.failure("tea", to);
    return given.details === "app is not in a healthy state" && given;
  });
  expect(failure.code).toBe(13);
  expect(app.seen).toEqual([]);
});

it("a sidecar without an app says so", async () => {
  await using one = await startTestSidecar({ appId: "callee" });
  using orders = new OrdersClient(one.sidecar.ports.grpc);
  expect(await orders.failure("x", to)).toMatchObject({
    code: 14,
    details: "failed to proxy request: no app is behind this sidecar: start it with --app-port and --app-protocol=grpc",
  });
});

it("proxied calls are counted as Dapr counts them", async () => {
  await using app = await startOrdersApp();
  const deps = { shared: createSharedScope() };
  const metrics = { enabled: true, port: 0, listenAddress: "127.0.0.1" };
  await using callee = await startTestSidecar({
    appId: "callee",
    appPort: app.port,
    appProtocol: "grpc",
    metrics,
    deps,
  });
  await using caller = await startTestSidecar({ appId: "caller", metrics, deps });
  using orders = new OrdersClient(caller.sidecar.ports.grpc);
  await orders.place("tea", to);
  await orders.failure("fail:no", to);
  await orders.failure("x", { "dapr-app-id": "nobody" });
  await orders.chat(["a"], { ...to, "dapr-stream": "true" });
  const text = await (await fetch(`http://127.0.0.1:${caller.sidecar.ports.metrics}/`)).text();
  const lines = text
    .split("\n")
    .filter((line) => /^dapr_(grpc_io_server_completed_rpcs|runtime_service_invocation_re[a-z_]*_total)/.test(line));
  expect(lines.toSorted()).toEqual([
    'dapr_grpc_io_server_completed_rpcs{app_id="caller",grpc_server_method="/shop.Orders/Chat",grpc_server_status="OK"} 1',
    'dapr_grpc_io_server_completed_rpcs{app_id="caller",grpc_server_method="/shop.Orders/Place",grpc_server_status="FailedPrecondition"} 1',
    'dapr_grpc_io_server_completed_rpcs{app_id="caller",grpc_server_method="/shop.Orders/Place",grpc_server_status="OK"} 1',
    'dapr_grpc_io_server_completed_rpcs{app_id="caller",grpc_server_method="/shop.Orders/Place",grpc_server_status="Unknown"} 1',
    'dapr_runtime_service_invocation_req_sent_total{app_id="caller",dst_app_id="callee",type="streaming"} 1',
    'dapr_runtime_service_invocation_req_sent_total{app_id="caller",dst_app_id="callee",type="unary"} 2',
    'dapr_runtime_service_invocation_res_recv_total{app_id="caller",src_app_id="callee",status="0",type="unary"} 1',
    'dapr_runtime_service_invocation_res_recv_total{app_id="caller",src_app_id="callee",status="9",type="unary"} 1',
  ]);
  await caller.fetch("/v1.0/invoke/callee/method/x", { method: "POST" });
  const clients = await (await fetch(`http://127.0.0.1:${callee.sidecar.ports.metrics}/`)).text();
  expect(clients).toContain(
    'dapr_grpc_io_client_completed_rpcs{app_id="callee",grpc_client_method="/dapr.proto.runtime.v1.AppCallback/OnInvoke",grpc_client_status="Unimplemented"} 1',
  );
});

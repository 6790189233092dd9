import { expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { startOrdersApp } from "../harness/orders-app.ts";
import { OrdersClient } from "../harness/orders-client.ts";
import { SentryDouble } from "../harness/sentry-double.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const PATIENCE_MS = 30_000;

const MANY_BYTES = 8 * 1024 * 1024;

it("large bodies go through, and a call that is under way outlives the certificate it began with", async () => {
  await using sentry = await SentryDouble.start();
  sentry.behaviour.ttlMs = 4_000;
  const held = Promise.withResolvers<void>();
  await using app = await startTestApp({
    answer: async ({ url, body }) => {
      if (url === "/slow") {
        await held.promise;
      }
      return { body: String(body.length) };
    },
  });
  const common = { deps: { shared: createSharedScope() }, mtls: sentry.mtls(), maxBodyBytes: 2 * MANY_BYTES };
  await using callee = await startTestSidecar({ ...common, appId: "callee", appPort: app.port });
  await using caller = await startTestSidecar({ ...common, appId: "caller" });
  const invoke = (path: string, body: string): Promise<Response> =>
    caller.fetch(`/v1.0/invoke/callee/method/${path}`, { method: "POST", body });

  const slow = invoke("slow", "abc");
  await until("the slow call is at the app", () => app.at("/slow").length === 1, PATIENCE_MS);
  expect(await (await invoke("large", "x".repeat(MANY_BYTES))).text()).toBe(String(MANY_BYTES));
  const before = sentry.requests.length;
  await until("both have had other certificates, twice", () => sentry.requests.length >= before + 4, PATIENCE_MS);
  held.resolve();
  expect(await (await slow).text()).toBe("3");
  expect(callee.sidecar.ports.internalGrpc).toBeGreaterThan(0);
});

it("gRPC between apps goes through in all four kinds, also while certificates are renewed", async () => {
  await using sentry = await SentryDouble.start();
  sentry.behaviour.ttlMs = 4_000;
  await using app = await startOrdersApp();
  const common = { deps: { shared: createSharedScope() }, mtls: sentry.mtls() };
  await using callee = await startTestSidecar({ ...common, appId: "callee", appPort: app.port, appProtocol: "grpc" });
  await using caller = await startTestSidecar({ ...common, appId: "caller" });
  using orders = new OrdersClient(caller.sidecar.ports.grpc);
  const to = { "dapr-app-id": "callee" };
  let rounds = 0;
  const before = sentry.requests.length;
  while (sentry.requests.length < before + 6) {
    expect((await orders.place("tea", to)).text).toBe("placed tea");
    expect(await orders.collect(["a", "b", "c"], to)).toBe("a+b+c");
    expect(await orders.repeat("x", to)).toEqual(["x", "x", "x"]);
    expect(await orders.chat(["one", "two"], to)).toEqual(["re: one", "re: two"]);
    rounds += 1;
  }
  expect(rounds).toBeGreaterThan(0);
  expect(callee.logger.lines.filter(({ level }) => level === "error")).toEqual([]);
});

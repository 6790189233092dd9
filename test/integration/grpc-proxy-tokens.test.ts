import { afterAll, beforeAll, expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { type OrdersApp, startOrdersApp } from "../harness/orders-app.ts";
import { OrdersClient } from "../harness/orders-client.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

let app: OrdersApp;
let sidecars: TestSidecar[];
let guarded: OrdersClient;
let open: OrdersClient;
let own: OrdersClient;
const to = { "dapr-app-id": "callee" };

beforeAll(async () => {
  app = await startOrdersApp();
  const deps = { shared: createSharedScope() };
  const callee = { appId: "callee", appPort: app.port, appProtocol: "grpc", appToken: "app-secret", deps } as const;
  sidecars = [
    await startTestSidecar({ appId: "guarded", apiToken: "secret", appToken: "not-for-peers", deps }),
    await startTestSidecar({ appId: "open", deps }),
    await startTestSidecar(callee),
  ];
  [guarded, open, own] = sidecars.map(({ sidecar }) => new OrdersClient(sidecar.ports.grpc)) as [
    OrdersClient,
    OrdersClient,
    OrdersClient,
  ];
});
afterAll(async () => {
  for (const client of [guarded, open, own]) client[Symbol.dispose]();
  await Promise.all(sidecars.map((one) => one.stop()));
  await app[Symbol.asyncDispose]();
});

function tokenSeen(): unknown {
  return app.seen.at(-1)?.metadata["dapr-api-token"];
}

it("a proxied call needs the API token as any other", async () => {
  expect(await guarded.failure("x", to)).toMatchObject({ code: 16 });
  expect(await guarded.failure("x", { ...to, "dapr-api-token": "wrong" })).toMatchObject({ code: 16 });
  await guarded.place("x", { ...to, "dapr-api-token": "secret" });
});

it("the app gets its own sidecar's token, whatever a caller or a caller's sidecar has", async () => {
  await guarded.place("x", { ...to, "dapr-api-token": "secret" });
  expect(tokenSeen()).toBe("app-secret");
  await open.place("x", { ...to, "dapr-api-token": "anything" });
  expect(tokenSeen()).toBe("app-secret");
  await own.place("x", to);
  expect(tokenSeen()).toBe("app-secret");
});

it("nobody can claim to be another app", async () => {
  await open.place("x", { ...to, "dapr-caller-app-id": "admin", "dapr-caller-namespace": "root" });
  expect(app.seen.at(-1)?.metadata).toMatchObject({ "dapr-caller-app-id": "open", "dapr-callee-app-id": "callee" });
  expect(app.seen.at(-1)?.metadata["dapr-caller-namespace"]).toBeUndefined();
});

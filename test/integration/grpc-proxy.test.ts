import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { type OrdersApp, startOrdersApp } from "../harness/orders-app.ts";
import { OrdersClient } from "../harness/orders-client.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

describe.each([
  ["another sidecar's app", "caller"],
  ["its own app", "callee"],
])("calls of a service that the sidecar does not know, for %s", (_whose, at) => {
  let app: OrdersApp;
  let caller: TestSidecar;
  let callee: TestSidecar;
  let orders: OrdersClient;
  const to = { "dapr-app-id": "callee" };
  beforeAll(async () => {
    app = await startOrdersApp();
    const deps = { shared: createSharedScope() };
    callee = await startTestSidecar({ appId: "callee", appPort: app.port, appProtocol: "grpc", deps });
    caller = await startTestSidecar({ appId: "caller", deps });
    orders = new OrdersClient((at === "caller" ? caller : callee).sidecar.ports.grpc);
  });
  afterAll(async () => {
    orders[Symbol.dispose]();
    await Promise.all([caller.stop(), callee.stop()]);
    await app[Symbol.asyncDispose]();
  });

  it("pass message, metadata, headers and trailers", async () => {
    const { text, headers, trailers } = await orders.place("tea", { ...to, "x-mine": "1" });
    expect(text).toBe("placed tea");
    expect(headers.get("x-head")).toEqual(["h"]);
    expect(trailers.get("x-trail")).toEqual(["t"]);
    const { metadata } = app.seen.at(-1)!;
    expect(metadata["x-mine"]).toBe("1");
    expect(metadata["dapr-app-id"]).toBeUndefined();
  });

  it("pass streams of requests, of answers, and of both", async () => {
    expect(await orders.collect(["a", "b", "c"], to)).toBe("a+b+c");
    expect(await orders.repeat("x", to)).toEqual(["x", "x", "x"]);
    expect(await orders.chat(["one", "two"], to)).toEqual(["re: one", "re: two"]);
  });

  it("end with the app's status, text, details and trailers", async () => {
    const failure = await orders.failure("fail:sold out, 100 %", to);
    expect(failure).toMatchObject({ code: 9, details: "sold out, 100 %" });
    expect(failure.metadata.get("x-trail")).toEqual(["t"]);
    expect(failure.metadata.get("grpc-status-details-bin")).toEqual([Buffer.from([8, 9, 18, 1, 120])]);
  });

  it("carry their deadline, and end at the app when they are cancelled", async () => {
    const call = orders.cancellable("hold", to, 60_000);
    await until("the call is at the app", () => app.held.length === 1);
    expect(app.seen.at(-1)?.deadlineMs).toBeGreaterThan(30_000);
    call.cancel();
    await expect(call.answer).rejects.toMatchObject({ code: 1 });
    await until("it was cancelled", () => app.held[0]?.cancelled() === true);
    // Until one has reached the app before its time was over.
    for (let deadlineMs = 100; app.held.length === 1; deadlineMs *= 2) {
      expect(await orders.failure("hold", to, deadlineMs)).toMatchObject({ code: 4 });
    }
    await until("its time was over", () => app.held[1]?.cancelled() === true);
    app.held.length = 0;
  });

  it("are found by dapr-callee-app-id too, with a namespace or without", async () => {
    expect((await orders.place("1", { "dapr-callee-app-id": "callee" })).text).toBe("placed 1");
    expect((await orders.place("2", { "dapr-app-id": "callee.default" })).text).toBe("placed 2");
  });

  it("fail as in Dapr without a target, or with one that nobody knows", async () => {
    expect(await orders.failure("x", {})).toMatchObject({
      code: 2,
      details: "cannot proxy request: missing dapr-callee-app-id or dapr-app-id metadata",
    });
    expect(await orders.failure("x", { "dapr-app-id": "nobody" })).toMatchObject({
      code: 2,
      details: "couldn't find service: nobody",
    });
    expect(await orders.failure("x", { "dapr-app-id": "a.b.c" })).toMatchObject({
      code: 2,
      details: "invalid app id a.b.c",
    });
  });
});

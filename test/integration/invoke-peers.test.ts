import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

describe("two sidecars", () => {
  let app: TestApp;
  let caller: TestSidecar;
  let callee: TestSidecar;
  beforeAll(async () => {
    app = await startTestApp({
      answer: ({ url, method }) =>
        url.startsWith("/teapot")
          ? { status: 418, headers: { "x-kind": "teapot", "content-type": "text/plain" }, body: `${method} short` }
          : undefined,
    });
    const deps = { shared: createSharedScope() };
    caller = await startTestSidecar({ appId: "caller", namespace: "shop", deps });
    callee = await startTestSidecar({ appId: "callee", namespace: "shop", appPort: app.port, deps });
  });
  afterAll(async () => {
    await Promise.all([caller.stop(), callee.stop()]);
    await app.close();
  });

  it("pass method, path, query, headers and status through", async () => {
    const response = await caller.fetch("/v1.0/invoke/callee/method/teapot/a%20b?q=1&q=2", {
      method: "PATCH",
      headers: { "x-one": "1" },
      body: "leaf",
    });
    expect(response.status).toBe(418);
    expect(response.headers.get("x-kind")).toBe("teapot");
    expect(await response.text()).toBe("PATCH short");
    const [request] = app.requests.filter(({ url }) => url.startsWith("/teapot/"));
    expect(request).toMatchObject({
      method: "PATCH",
      url: "/teapot/a%20b?q=1&q=2",
      body: "leaf",
      headers: { "x-one": "1", "dapr-caller-app-id": "caller", "dapr-callee-app-id": "callee" },
    });
  });

  it("take the target from a header, a Basic user, or a name with a namespace", async () => {
    const basic = `Basic ${Buffer.from("dapr-app-id:callee").toString("base64")}`;
    expect((await caller.fetch("/teapot", { headers: { "dapr-app-id": "callee" } })).status).toBe(418);
    expect((await caller.fetch("/teapot", { headers: { authorization: basic } })).status).toBe(418);
    expect((await caller.fetch("/v1.0/invoke/callee.shop/method/teapot")).status).toBe(418);
    expect((await caller.fetch("/v1.0/invoke/callee.elsewhere/method/teapot")).status).toBe(500);
  });

  it("answer 500 for an app that nobody knows, with the reason", async () => {
    const response = await caller.fetch("/v1.0/invoke/nobody/method/x");
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      errorCode: "ERR_DIRECT_INVOKE",
      message: "failed to invoke, id: nobody, err: couldn't find service: nobody",
    });
  });

  it("never hand a caller's claim to be somebody else to the app", async () => {
    await caller.fetch("/v1.0/invoke/callee/method/claim", {
      headers: { "dapr-caller-app-id": "admin", "dapr-caller-namespace": "root" },
    });
    expect(app.at("/claim")[0]?.headers).toMatchObject({
      "dapr-caller-app-id": "caller",
      "dapr-caller-namespace": "shop",
    });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { rawRequest } from "../harness/raw-http.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

describe("a Resiliency with a target for the app", () => {
  let app: TestApp;
  let caller: TestSidecar;
  let callee: TestSidecar;
  /** How often the app fails from here on. */
  let failures = 0;
  beforeAll(async () => {
    app = await startTestApp({
      answer: ({ body }) => {
        failures -= 1;
        return failures >= 0
          ? { status: 503, headers: { "x-try": String(failures), "content-type": "t/p" }, body: "not yet" }
          : { body: `got ${body}` };
      },
    });
    const deps = { shared: createSharedScope() };
    const resources = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: patience }
spec:
  policies:
    retries: { thrice: { policy: constant, duration: 1ms, maxRetries: 3 } }
    circuitBreakers: { third: { maxRequests: 1, timeout: 1h, trip: consecutiveFailures >= 3 } }
  targets:
    apps:
      callee: { retry: thrice }
      guarded: { circuitBreaker: third }
---
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: guarded }
spec: { baseUrl: "http://127.0.0.1:${app.port}" }
`;
    caller = await startTestSidecar({ appId: "caller", resources, deps });
    callee = await startTestSidecar({ appId: "callee", appPort: app.port, deps });
  });
  afterAll(async () => {
    await Promise.all([caller.stop(), callee.stop()]);
    await app.close();
  });
  beforeEach(() => {
    failures = 0;
  });

  const post = (path: string, body: string | readonly string[]) =>
    rawRequest(`${caller.url}/v1.0/invoke/${path}`, { method: "POST" }, body);

  it("repeats a call with its body until the app recovers", async () => {
    failures = 3;
    expect(await post("callee/method/flaky", "order")).toMatchObject({ status: 200, body: "got order" });
    expect(app.at("/flaky").map(({ body }) => body)).toEqual(["order", "order", "order", "order"]);
  });

  it("passes the last answer on as it is when no attempt is left", async () => {
    failures = 9;
    const answer = await post("callee/method/always", "order");
    expect(answer).toMatchObject({ status: 503, body: "not yet", headers: { "x-try": "5", "content-type": "t/p" } });
    expect(app.at("/always")).toHaveLength(4);
  });

  it("does not repeat a body of unknown length", async () => {
    failures = 9;
    expect(await post("callee/method/chunks", ["or", "der"])).toMatchObject({ status: 503, body: "not yet" });
    expect(app.at("/chunks").map(({ body }) => body)).toEqual(["order"]);
  });

  it("counts failures of streamed bodies too, until its circuit breaker lets nothing through", async () => {
    failures = 3;
    for (let index = 0; index < 3; index += 1) {
      expect((await post("guarded/method/m", ["x"])).status).toBe(503);
    }
    const refused = await post("guarded/method/m", ["x"]);
    expect([refused.status, JSON.parse(refused.body)]).toEqual([
      500,
      { errorCode: "ERR_DIRECT_INVOKE", message: "failed to invoke, id: guarded, err: circuit breaker is open" },
    ]);
    // An endpoint has one breaker for all its methods.
    expect((await post("guarded/method/other", "x")).status).toBe(500);
    expect([...app.at("/m"), ...app.at("/other")]).toHaveLength(3);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { rawRequest } from "../harness/raw-http.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

const RESILIENCY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: patience }
spec:
  policies:
    retries:
      DefaultAppRetryPolicy:
        policy: constant
        duration: 1ms
        maxRetries: 3
        matching: { httpStatusCodes: "100-102,304,403,500-503,505", gRPCStatusCodes: "1-5" }
`;

describe("a default retry policy that matches statuses", () => {
  let app: TestApp;
  let caller: TestSidecar;
  let callee: TestSidecar;
  beforeAll(async () => {
    app = await startTestApp({ answer: ({ body }) => ({ status: Number(body) }) });
    const deps = { shared: createSharedScope() };
    caller = await startTestSidecar({ appId: "caller", resources: RESILIENCY, deps });
    callee = await startTestSidecar({ appId: "callee", appPort: app.port, deps });
  });
  afterAll(async () => {
    await Promise.all([caller.stop(), callee.stop()]);
    await app.close();
  });

  it.each([
    [200, 1],
    [304, 1],
    [403, 4],
    [404, 1],
    [500, 4],
    [503, 4],
    [504, 1],
    [505, 4],
  ])("has an app that answers %i called %i times", async (status, times) => {
    const path = `/at/${status}`;
    const answer = await rawRequest(
      `${caller.url}/v1.0/invoke/callee/method${path}`,
      { method: "POST" },
      String(status),
    );
    expect(answer.status).toBe(status);
    expect(app.at(path)).toHaveLength(times);
  });

  it("does not stumble over an app that switches protocols unasked", async () => {
    const url = `${caller.url}/v1.0/invoke/callee/method/at/101`;
    // Node's client takes a 101 for an upgrade, and says so with an error that names it.
    await rawRequest(url, { method: "POST" }, "101").catch(() => undefined);
    expect(app.at("/at/101")).toHaveLength(4);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { rawRequest } from "../harness/raw-http.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

/** With values that ask no HTTP/1.1 server for anything. */
const HOP_BY_HOP = {
  "keep-alive": "timeout=5, max=100",
  "proxy-connection": "keep-alive",
  upgrade: "websocket",
  "http2-settings": "AAMAAABkAAQAAP__",
  te: "trailers",
  trailer: "X-Checksum",
  "proxy-authorization": "Basic dGVzdDp0ZXN0",
  "proxy-authenticate": "Basic realm=test",
  "x-nominated": "1",
};

describe("headers of a call", () => {
  let app: TestApp;
  let caller: TestSidecar;
  let callee: TestSidecar;
  beforeAll(async () => {
    app = await startTestApp({
      answer: ({ url }) =>
        url === "/answers"
          ? { headers: { ...HOP_BY_HOP, connection: "x-nominated, close", "x-end": "to end" }, body: "ok" }
          : undefined,
    });
    const deps = { shared: createSharedScope() };
    const endpoint = `
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: upstream }
spec: { baseUrl: "http://127.0.0.1:${app.port}" }
`;
    caller = await startTestSidecar({ appId: "caller", namespace: "shop", resources: endpoint, deps });
    callee = await startTestSidecar({ appId: "callee", namespace: "shop", appPort: app.port, deps });
  });
  afterAll(async () => {
    await Promise.all([caller.stop(), callee.stop()]);
    await app.close();
  });

  const ways = [
    ["the sidecar's own app", () => `${callee.url}/v1.0/invoke/callee/method`],
    ["another sidecar's app", () => `${caller.url}/v1.0/invoke/callee/method`],
    ["an HTTPEndpoint", () => `${caller.url}/v1.0/invoke/upstream/method`],
    ["a URL", () => `${caller.url}/v1.0/invoke/http://127.0.0.1:${app.port}/method`],
  ] as const;

  it.each(ways)("for %s keep those from end to end and lose those of one hop", async (_, base) => {
    const headers = {
      ...HOP_BY_HOP,
      connection: "keep-alive, x-nominated",
      accept: "application/json",
      authorization: "Bearer token123",
      "x-request-id": "1",
    };
    // A trailer needs a body in chunks.
    await rawRequest(`${base()}/asked`, { method: "POST", headers }, ["x"]);
    const seen = app.requests.at(-1)?.headers ?? {};
    expect(seen).toMatchObject({ accept: "application/json", authorization: "Bearer token123", "x-request-id": "1" });
    expect(Object.keys(seen).filter((name) => name === "connection" || name in HOP_BY_HOP)).toEqual([]);
  });

  it.each(ways)("of an answer of %s lose those of one hop", async (_, base) => {
    const { status, headers, body } = await rawRequest(`${base()}/answers`, { headers: { connection: "keep-alive" } });
    expect([status, body, headers["x-end"]]).toEqual([200, "ok", "to end"]);
    expect(Object.keys(headers).filter((name) => name === "connection" || name in HOP_BY_HOP)).toEqual([]);
  });

  it("say who calls whom and by which way, whatever the caller says about that", async () => {
    const lies = {
      "dapr-caller-app-id": "admin",
      "dapr-caller-namespace": "root",
      "dapr-callee-app-id": "nobody",
      "destination-app-id": "nobody",
      "x-forwarded-for": "10.0.0.1",
    };
    await rawRequest(`${caller.url}/v1.0/invoke/callee/method/asked`, { headers: lies });
    const seen = app.requests.at(-1)?.headers ?? {};
    expect(seen).toMatchObject({
      "dapr-caller-app-id": "caller",
      "dapr-caller-namespace": "shop",
      "dapr-callee-app-id": "callee",
    });
    expect(seen["forwarded"]).toMatch(/^for=.+;by=.+;host=.+$/);
    expect(seen["x-forwarded-for"]).toMatch(/^10\.0\.0\.1, ?.+/);
    expect(seen).toHaveProperty("x-forwarded-host");
    expect(seen).not.toHaveProperty("destination-app-id");
    await rawRequest(`${callee.url}/v1.0/invoke/callee/method/asked`, { headers: lies });
    await rawRequest(`${caller.url}/v1.0/invoke/upstream/method/asked`, { headers: lies });
    for (const { headers } of app.requests.slice(-2)) {
      expect(Object.keys(headers).filter((name) => name.startsWith("dapr-") || name.startsWith("destination"))).toEqual(
        [],
      );
    }
  });
});

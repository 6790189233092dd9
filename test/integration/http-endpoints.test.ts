import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rawRequest } from "../harness/raw-http.ts";
import { component, temporaryFolder, type Folder } from "../harness/resources.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

describe("an HTTP server without a sidecar", () => {
  let server: TestApp;
  let one: TestSidecar;
  let folder: Folder;
  beforeAll(async () => {
    folder = await temporaryFolder();
    const secrets = await folder.write("secrets.json", JSON.stringify({ "shop-token": "t0ken" }));
    server = await startTestApp({
      answer: ({ url }) =>
        url === "/moved" ? { status: 301, headers: { location: "http://elsewhere.example/" } } : { body: `at ${url}` },
    });
    const endpoint = `
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata:
  name: shop
spec:
  version: v1alpha1
  baseURL: http://127.0.0.1:${server.port}/v2
  headers:
    - { name: x-plain, value: "7" }
    - { name: x-token, secretKeyRef: { name: shop-token, key: shop-token } }
    - { name: x-zone, envRef: ZONE }
auth:
  secretStore: vault
`;
    one = await startTestSidecar({
      resources: `${endpoint}---\n${component("vault", "secretstores.local.file", { secretsFile: secrets })}`,
      metrics: { enabled: true, port: 0, listenAddress: "127.0.0.1" },
      deps: { environment: { ZONE: "eu" } },
    });
  });
  afterAll(async () => {
    await one.stop();
    await server.close();
    await folder[Symbol.asyncDispose]();
  });

  it("is called by the name of its HTTPEndpoint, with the headers that are written there or kept in secrets", async () => {
    const response = await one.fetch("/v1.0/invoke/shop/method/a/b?q=1", { method: "POST", body: "hi" });
    expect([response.status, await response.text()]).toEqual([200, "at /v2/a/b?q=1"]);
    expect(server.requests.at(-1)).toMatchObject({
      method: "POST",
      body: "hi",
      headers: { "x-plain": "7", "x-token": "t0ken", "x-zone": "eu", host: `127.0.0.1:${server.port}` },
    });
  });

  it("is called by its name or its URL in a header or as a Basic user too", async () => {
    const url = `http://127.0.0.1:${server.port}`;
    const basic = `Basic ${Buffer.from("dapr-app-id:shop").toString("base64")}`;
    const calls: [string, Record<string, string>, string][] = [
      ["/x", { "dapr-app-id": "shop" }, "at /v2/x"],
      ["/x", { authorization: basic }, "at /v2/x"],
      ["/x", { "dapr-app-id": url }, "at /x"],
      [`/v1.0/invoke/${url}/method/x`, {}, "at /x"],
      [`/v1.0/invoke/${url}/base/method/x`, {}, "at /base/x"],
      [`/v1.0/invoke/${encodeURIComponent(url)}/method/x`, {}, "at /x"],
      [`/v1.0/invoke/${encodeURIComponent(encodeURIComponent(url))}/method/x`, {}, "at /x"],
    ];
    for (const [path, headers, expected] of calls) {
      const { status, body } = await rawRequest(one.url, { path, headers });
      expect([path, status, body]).toEqual([path, 200, expected]);
    }
  });

  it("redirects the caller, not the sidecar", async () => {
    const { status, headers } = await rawRequest(`${one.url}/v1.0/invoke/http://127.0.0.1:${server.port}/method/moved`);
    expect([status, headers.location]).toEqual([301, "http://elsewhere.example/"]);
  });

  it("that does not answer is told with the address", async () => {
    const response = await one.fetch("/v1.0/invoke/http://127.0.0.1:1/method/x");
    expect([response.status, await response.json()]).toEqual([
      500,
      {
        errorCode: "ERR_DIRECT_INVOKE",
        message:
          'failed to invoke, id: http://127.0.0.1:1, err: Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused',
      },
    ]);
  });

  it("is listed and counted", async () => {
    const metadata = (await (await one.fetch("/v1.0/metadata")).json()) as { httpEndpoints: unknown };
    expect(metadata.httpEndpoints).toEqual([{ name: "shop" }]);
    const metrics = await (await fetch(`http://127.0.0.1:${one.sidecar.ports.metrics ?? 0}/`)).text();
    expect(metrics).toMatch(
      /^dapr_runtime_service_invocation_req_sent_total\{app_id="test-app",dst_app_id="shop",type="unary"\} \d+$/m,
    );
    expect(metrics).toMatch(
      /^dapr_http_client_completed_count\{app_id="test-app",method="POST",path="\/a\/b",status="200"\} 1$/m,
    );
    expect(one.logger.said("has no effect")).toBe(false);
  });
});

it("an HTTPEndpoint whose base URL is none is named in the log and tells its callers", async () => {
  const resources = `
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: broken }
spec: { baseUrl: "shop.example" }
`;
  await using one = await startTestSidecar({ resources });
  expect(one.logger.said("HTTPEndpoint broken will fail")).toBe(true);
  const response = await one.fetch("/v1.0/invoke/broken/method/x");
  expect([response.status, await response.text()]).toEqual([500, expect.stringContaining("not an http or https URL")]);
});

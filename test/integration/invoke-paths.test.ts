import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { rawRequest } from "../harness/raw-http.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

describe("a method's path through two sidecars", () => {
  let app: TestApp;
  let caller: TestSidecar;
  let callee: TestSidecar;
  beforeAll(async () => {
    app = await startTestApp({
      answer: ({ url }) => {
        const { pathname, search } = new URL(url, "http://app");
        return { body: `${decodeURIComponent(pathname)}|${search.slice(1)}` };
      },
    });
    const deps = { shared: createSharedScope() };
    caller = await startTestSidecar({ appId: "caller", deps });
    callee = await startTestSidecar({ appId: "callee", appPort: app.port, deps });
  });
  afterAll(async () => {
    await Promise.all([caller.stop(), callee.stop()]);
    await app.close();
  });

  // fetch would normalise the path itself.
  const called = (path: string, headers = {}) =>
    rawRequest(caller.url, { path, headers }).then(({ status, body }) => [status, body] as const);

  it.each(["%23", "%3F", "%25", "%00", "%0D", "%7F"])("may not hold %s", async (escape) => {
    const before = app.requests.length;
    const [status, body] = await called(`/v1.0/invoke/callee/method/test${escape}stream`);
    const { errorCode, message } = JSON.parse(body) as { errorCode: string; message: string };
    expect([status, errorCode]).toEqual([500, "ERR_DIRECT_INVOKE"]);
    expect(message).toMatch(/^failed to invoke, id: callee, err: /);
    expect((await called(`/test${escape}stream`, { "dapr-app-id": "callee" }))[0]).toBe(500);
    expect(app.requests).toHaveLength(before);
  });

  it.each([
    ["test%22stream", '/test"stream|'],
    ["test%2Astream", "/test*stream|"],
    ["test%5Cstream", "/test\\stream|"],
    ["test*stream", "/test*stream|"],
    ["test?stream", "/test|stream"],
    ["a%20b/%E2%82%AC?q=%2F", "/a b/€|q=%2F"],
    ["/a///b/", "/a/b|"],
    ["", "/|"],
  ])("%s reaches the app as %s", async (path, seen) => {
    expect(await called(`/v1.0/invoke/callee/method/${path}`)).toEqual([200, seen]);
  });

  it.each(["admin%2F..%2Fpublic", "admin/../public", "%2e%2e/public", "x/%2E%2E%2f..%2fpublic", "./public/."])(
    "%s is public, however it is written",
    async (path) => {
      expect(await called(`/v1.0/invoke/callee/method/${path}`)).toEqual([200, "/public|"]);
      expect(await called(`/${path}`, { "dapr-app-id": "callee" })).toEqual([200, "/public|"]);
    },
  );

  it("that is escaped twice stays below the prefix it was checked with", async () => {
    await called("/v1.0/invoke/callee/method/public/%252e%252e%252fadmin");
    expect(app.requests.at(-1)?.url).not.toMatch(/^\/admin|\.\.|%2e%2e/i);
  });

  it("may follow slashes that repeat, with every verb", async () => {
    for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      for (const path of ["/v1.0////invoke/callee/method/foo", "/v1.0//invoke//callee/method//foo"]) {
        expect(await rawRequest(caller.url, { method, path })).toMatchObject({ status: 200, body: "/foo|" });
        expect(app.requests.at(-1)?.method).toBe(method);
      }
    }
    expect(await called("///foo", { "dapr-app-id": "callee" })).toEqual([200, "/foo|"]);
    expect(app.requests.at(-1)?.headers).not.toHaveProperty("dapr-app-id");
  });

  it("is missing: 404 and nobody is called", async () => {
    const before = app.requests.length;
    for (const path of ["/v1.0/invoke/callee", "/v1.0/invoke/callee/method", "/"]) {
      const [status, body] = await called(path);
      expect([status, JSON.parse(body)]).toEqual([
        404,
        {
          errorCode: "ERR_DIRECT_INVOKE",
          message: "failed getting app id either from the URL path or the header dapr-app-id",
        },
      ]);
    }
    expect(app.requests).toHaveLength(before);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import type { HttpHandler } from "../../src/net/http/types.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

/** Less than a piece of a body between sidecars would be without it. */
const MAX_BODY_BYTES = 20 * 1024;

/** Answers with what it was sent. */
const echo: HttpHandler = (exchange) => {
  void exchange.readBody(0).then((body) => exchange.respond(200, [], body));
};

describe("sidecars with a small limit for bodies", () => {
  let caller: TestSidecar;
  let callee: TestSidecar;
  beforeAll(async () => {
    const shared = createSharedScope();
    const common = { maxBodyBytes: MAX_BODY_BYTES, internalListenAddress: "127.0.0.1" };
    callee = await startTestSidecar({ ...common, appId: "callee", deps: { shared, app: echo } });
    caller = await startTestSidecar({ ...common, appId: "caller", deps: { shared } });
  });
  afterAll(async () => {
    await caller.stop();
    await callee.stop();
  });

  const send = (bytes: number): Promise<Response> =>
    caller.fetch("/v1.0/invoke/callee/method/echo", { method: "POST", body: "x".repeat(bytes) });

  it("pass on a body up to the limit", async () => {
    const response = await send(MAX_BODY_BYTES);
    expect(response.status).toBe(200);
    expect((await response.text()).length).toBe(MAX_BODY_BYTES);
  });

  it("refuse a larger one with the limit", async () => {
    const response = await send(MAX_BODY_BYTES + 1);
    expect(response.status).toBe(413);
    expect(await response.text()).toContain(String(MAX_BODY_BYTES));
  });
});

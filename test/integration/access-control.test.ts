import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { InvokeRequestSchema, InvokeResponseSchema } from "../../src/wire/gen/dapr/proto/common/v1/common_pb.js";
import { InvokeServiceRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/invoke_pb.js";
import { startGrpcApp } from "../harness/grpc-app.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import { startOrdersApp } from "../harness/orders-app.ts";
import { OrdersClient } from "../harness/orders-client.ts";
import { configuration } from "../harness/resources.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

const POLICIES = `  accessControl:
    defaultAction: deny
    policies:
    - appId: caller
      namespace: default
      trustDomain: public
      defaultAction: allow
`;

describe("access control without mutual TLS", () => {
  let app: TestApp;
  let caller: TestSidecar;
  let callee: TestSidecar;
  beforeAll(async () => {
    app = await startTestApp({ answer: ({ url }) => ({ body: url }) });
    const deps = { shared: createSharedScope() };
    const metrics = { enabled: true, port: 0, listenAddress: "127.0.0.1" };
    caller = await startTestSidecar({ appId: "caller", deps });
    callee = await startTestSidecar({
      appId: "callee",
      appPort: app.port,
      metrics,
      configuration: configuration(POLICIES),
      deps,
    });
  });
  afterAll(async () => {
    await Promise.all([caller.stop(), callee.stop()]);
    await app.close();
  });

  it("has no caller to apply a policy to: the default action decides, with Dapr's status and words", async () => {
    const before = app.requests.length;
    const response = await caller.fetch("/v1.0/invoke/callee/method/orders", {
      headers: { "dapr-caller-app-id": "caller", "x-forwarded-client-cert": "URI=spiffe://public/ns/default/caller" },
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({
      errorCode: "ERR_DIRECT_INVOKE",
      message:
        "failed to invoke, id: callee, err: rpc error: code = PermissionDenied desc = access control policy has denied access to id:  operation: orders verb: GET",
    });
    expect(app.requests).toHaveLength(before);
  });

  it("does not stand between an app and its own sidecar", async () => {
    const response = await callee.fetch("/v1.0/invoke/callee/method/orders");
    expect([response.status, await response.text()]).toEqual([200, "/orders"]);
  });

  it("counts what it has decided", async () => {
    const text = await (await fetch(`http://127.0.0.1:${callee.sidecar.ports.metrics}/`)).text();
    expect(text).toMatch(
      /^dapr_runtime_acl_global_policy_action_blocked_total\{app_id="",namespace="",trustDomain=""\} 1$/m,
    );
  });
});

describe("an app that speaks gRPC", () => {
  it("is held against the default action also by its own calls of its methods, as with Dapr, which have no certificate", async () => {
    await using app = await startOrdersApp();
    await using one = await startTestSidecar({
      appId: "orders",
      appPort: app.port,
      appProtocol: "grpc",
      configuration: configuration(POLICIES),
    });
    using client = new OrdersClient(one.sidecar.ports.grpc);
    await expect(client.place("tea", { "dapr-app-id": "orders" })).rejects.toMatchObject({
      code: GRPC_STATUS.PERMISSION_DENIED,
      details: "access control policy has denied access to id:  operation: /shop.Orders/Place verb: NONE",
    });
    expect(app.seen).toEqual([]);
  });

  it("gets a method by the name it was called by, with a slash only where the caller wrote one", async () => {
    const seen: string[] = [];
    await using app = await startGrpcApp({
      onInvoke: ({ method }) => {
        seen.push(method);
        return create(InvokeResponseSchema);
      },
    });
    const deps = { shared: createSharedScope() };
    await using caller = await startTestSidecar({ appId: "caller", deps });
    await using callee = await startTestSidecar({ appId: "callee", appPort: app.port, appProtocol: "grpc", deps });
    const methods = ["public", "/public", "/admin%09/../public", "admin/../public", "//a//b/", "admin%2F..%2Fpublic"];
    for (const [from, id] of [
      [caller, "callee"],
      [callee, "callee"],
    ] as const) {
      for (const method of methods) {
        const request = create(InvokeServiceRequestSchema, { id, message: create(InvokeRequestSchema, { method }) });
        await from.grpc.call(daprMethods.invokeService, request);
      }
      expect(seen.splice(0)).toEqual(["public", "/public", "/public", "public", "/a/b", "admin%2F..%2Fpublic"]);
    }
  });
});

describe("policies", () => {
  it("that name no caller keep the sidecar from starting, with Dapr's words and the place", async () => {
    const faulty = configuration(POLICIES.replace("      namespace: default\n", ""));
    await expect(startTestSidecar({ configuration: faulty })).rejects.toThrow(
      /invalid access control spec\. missing trustdomain for apps: \[\], missing namespace for apps: \[caller\], missing app name on at least one of the app policies: false \(what is missing where: .*:\d+: namespace\)/,
    );
  });

  it("that do not do what they seem to are told in the log", async () => {
    const odd = configuration(`${POLICIES}      operations:\n      - { name: /a, httpVerb: [get], action: deny }\n`);
    await using one = await startTestSidecar({ configuration: odd });
    expect(one.logger.lines).toContainEqual({
      level: "warn",
      message: expect.stringMatching(/:\d+: httpVerb "get" is none that a call can have/) as string,
    });
  });

  it("without a default action that is written allow what they do not name, as in Dapr, and deny where it is empty", async () => {
    await using app = await startTestApp({ answer: () => ({ body: "here" }) });
    const deps = { shared: createSharedScope() };
    await using caller = await startTestSidecar({ appId: "caller", deps });
    const statusOf = async (spec: string): Promise<number> => {
      await using callee = await startTestSidecar({
        appId: "callee",
        appPort: app.port,
        configuration: configuration(spec),
        deps,
      });
      expect(callee.sidecar.ports.internalGrpc).toBeGreaterThan(0);
      return (await caller.fetch("/v1.0/invoke/callee/method/x")).status;
    };
    expect(await statusOf(POLICIES.replace("    defaultAction: deny\n", ""))).toBe(200);
    expect(await statusOf(POLICIES.replace("defaultAction: deny\n", 'defaultAction: ""\n'))).toBe(403);
  });
});

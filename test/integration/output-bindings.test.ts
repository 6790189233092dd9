import { create } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InvokeBindingRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/binding_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { component } from "../harness/resources.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

describe("bindings.http", () => {
  let server: TestApp;
  let sidecar: TestSidecar;
  let elsewhere = "";
  beforeAll(async () => {
    server = await startTestApp({
      answer: ({ method, url, body }) =>
        url === "/base/moved"
          ? { status: 307, headers: { location: elsewhere } }
          : url === "/base/missing"
            ? { status: 404, headers: { "x-why": "none" }, body: "no" }
            : { headers: { "x-a": "1" }, body: `${method} ${body}` },
    });
    sidecar = await startTestSidecar({
      resources: component("web", "bindings.http", {
        url: `http://127.0.0.1:${server.port}/base`,
        securityToken: "t0ken",
        securityTokenHeader: "X-Token",
      }),
    });
  });
  afterAll(async () => {
    await sidecar.stop();
    await server.close();
  });

  const invoke = (body: unknown): Promise<Response> =>
    sidecar.fetch("/v1.0/bindings/web", { method: "POST", body: JSON.stringify(body) });

  it("sends the request and answers with body and headers", async () => {
    const response = await invoke({ operation: "post", data: { a: "b" }, metadata: { path: "/x?y=1", "X-Mine": "m" } });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('POST {"a":"b"}');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "metadata.statuscode": "200",
      "metadata.status": "200 OK",
      "metadata.x-a": "1",
      "content-type": "application/json",
    });
    expect(server.requests.at(-1)).toMatchObject({
      url: "/base/x?y=1",
      headers: { "x-mine": "m", "x-token": "t0ken", accept: "application/json; charset=utf-8" },
    });
  });

  it("follows redirects, to other servers without the token", async () => {
    const other = await startTestApp({ answer: () => ({ body: "there" }) });
    elsewhere = `http://127.0.0.1:${other.port}/final`;
    const response = await invoke({ operation: "post", data: 1, metadata: { path: "moved" } });
    expect([response.status, await response.text()]).toEqual([200, "there"]);
    expect(other.requests[0]).toMatchObject({ method: "POST", url: "/final", body: "1" });
    expect(other.requests[0]?.headers).not.toHaveProperty("x-token");
    await other.close();
    elsewhere = "/base/moved";
    const circle = await invoke({ operation: "get", metadata: { path: "moved" } });
    expect([circle.status, await circle.text()]).toEqual([500, expect.stringContaining("stopped after 10 redirects")]);
  });

  it("fails for other statuses and tells them beside the error, unless it is told not to", async () => {
    const failed = await invoke({ operation: "get", metadata: { path: "missing" } });
    expect([failed.status, failed.headers.get("metadata.statuscode"), failed.headers.get("metadata.x-why")]).toEqual([
      500,
      "404",
      "none",
    ]);
    expect(await failed.json()).toEqual({
      errorCode: "ERR_INVOKE_OUTPUT_BINDING",
      message: "error invoking output binding web: received status code 404",
    });
    const told = await invoke({ operation: "get", metadata: { path: "missing", errorIfNot2XX: "false" } });
    expect([told.status, await told.text()]).toEqual([200, "no"]);
  });

  it("fails over gRPC with the same metadata", async () => {
    const client = new Client(`127.0.0.1:${sidecar.sidecar.ports.grpc ?? 0}`, credentials.createInsecure());
    const request = create(InvokeBindingRequestSchema, {
      name: "web",
      operation: "get",
      metadata: { path: "missing" },
    });
    const headers = Promise.withResolvers<Metadata>();
    const failure = await new Promise<{ code: number; details: string } | null>((resolve) => {
      const same = (bytes: Buffer): Buffer => bytes;
      const method = daprMethods.invokeBinding;
      const call = client.makeUnaryRequest(
        method.path,
        same,
        same,
        Buffer.from(method.encodeRequest(request)),
        new Metadata(),
        resolve,
      );
      call.on("metadata", headers.resolve);
    });
    client.close();
    expect(failure).toMatchObject({ code: 13, details: "error invoking output binding web: received status code 404" });
    expect((await headers.promise).get("metadata.statuscode")).toEqual(["404"]);
  });

  it("answers over gRPC", async () => {
    const request = create(InvokeBindingRequestSchema, {
      name: "web",
      operation: "post",
      data: Buffer.from([0, 255]),
      metadata: { "Content-Type": "application/octet-stream" },
    });
    const response = await sidecar.grpc.call(daprMethods.invokeBinding, request, { "x-call": "c" });
    expect(response.metadata).toMatchObject({ statusCode: "200", "X-A": "1" });
    expect(server.requests.at(-1)?.headers).toMatchObject({ "content-type": "application/octet-stream" });
  });

  it.each([
    [
      '{"operation":"nope"}',
      500,
      "binding web does not support operation nope. supported operations:create get head post put patch delete options trace",
    ],
    ["{}", 500, "operation field is missing from request"],
    ["{", 400, "failed deserializing HTTP body: unexpected EOF"],
  ])("refuses %s", async (body, status, message) => {
    const response = await sidecar.fetch("/v1.0/bindings/web", { method: "POST", body });
    expect(response.status).toBe(status);
    expect(((await response.json()) as { message: string }).message).toContain(message);
  });

  it("says that a server is not there", async () => {
    await using alone = await startTestSidecar({
      resources: component("web", "bindings.http", { url: "http://127.0.0.1:1", responseTimeout: "5s" }),
    });
    const response = await alone.fetch("/v1.0/bindings/web", { method: "POST", body: '{"operation":"get"}' });
    expect(response.status).toBe(500);
    expect(await response.text()).toContain("error invoking output binding web: Get");
  });
});

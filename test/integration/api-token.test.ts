import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { GetMetadataRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/metadata_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

const TOKEN = { "dapr-api-token": "secret" };

describe("a sidecar with an API token", () => {
  let app: TestApp;
  let one: TestSidecar;
  beforeAll(async () => {
    app = await startTestApp();
    one = await startTestSidecar({ apiToken: "secret", appToken: "for-the-app", appPort: app.port, publicPort: 0 });
  });
  afterAll(async () => {
    await one.stop();
    await app.close();
  });

  it("refuses HTTP calls without it, or with another", async () => {
    for (const headers of [{}, { "dapr-api-token": "wrong" }]) {
      const response = await one.fetch("/v1.0/metadata", { headers });
      expect(response.status).toBe(401);
      expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
      expect((await response.text()).trim()).toBe("invalid api token");
    }
    expect((await one.fetch("/v1.0/metadata", { headers: TOKEN })).status).toBe(200);
  });

  it("guards service invocation by header too", async () => {
    const headers = { "dapr-app-id": "test-app" };
    expect((await one.fetch("/orders", { headers })).status).toBe(401);
    expect(app.at("/orders")).toEqual([]);
  });

  it("asks health probes for none", async () => {
    expect((await one.fetch("/v1.0/healthz")).status).toBe(204);
    expect((await one.fetch("/v1.0/healthz/outbound")).status).toBe(204);
    expect((await one.fetch("/v1.0/healthz", { method: "POST" })).status).toBe(401);
  });

  it("asks for none on the public port", async () => {
    const url = `http://127.0.0.1:${one.sidecar.ports.public ?? 0}`;
    expect((await fetch(`${url}/v1.0/metadata`)).status).toBe(200);
  });

  it("refuses gRPC calls without it, or with another, in Dapr's words", async () => {
    const request = create(GetMetadataRequestSchema);
    const missing = await one.grpc.failure(daprMethods.getMetadata, request);
    expect(missing).toMatchObject({ code: GRPC_STATUS.UNAUTHENTICATED, message: "Unauthorized" });
    expect(String(missing.metadata.get("grpc-status-details-bin")[0])).toContain(
      "missing api token in request metadata",
    );
    const wrong = await one.grpc.failure(daprMethods.getMetadata, request, { "dapr-api-token": "wrong" });
    expect(String(wrong.metadata.get("grpc-status-details-bin")[0])).toContain(
      "authentication error: api token mismatch",
    );
    expect((await one.grpc.call(daprMethods.getMetadata, request, TOKEN)).id).toBe("test-app");
  });

  it("guards gRPC methods that this release does not have", async () => {
    expect((await one.grpc.rawFailure(daprMethods.unlockAlpha1.path, Buffer.alloc(0))).code).toBe(
      GRPC_STATUS.UNAUTHENTICATED,
    );
  });

  it("tells the app its own token and never the caller's", async () => {
    expect((await one.fetch("/v1.0/invoke/test-app/method/inbox", { headers: TOKEN })).status).toBe(200);
    expect(app.at("/inbox")[0]?.headers["dapr-api-token"]).toBe("for-the-app");
  });
});

import { DatabaseSync } from "node:sqlite";
import { create } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  GetConfigurationRequestSchema,
  SubscribeConfigurationRequestSchema,
  type SubscribeConfigurationResponse,
  UnsubscribeConfigurationRequestSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/configuration_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { component, type Folder, temporaryFolder } from "../harness/resources.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

describe("configuration over both doors", () => {
  let folder: Folder;
  let app: TestApp;
  let sidecar: TestSidecar;
  let version = 0;
  const put = (key: string, value: string): void => {
    const database = new DatabaseSync(`${folder.path}/settings.db`, { timeout: 2_000 });
    version += 1;
    database
      .prepare("REPLACE INTO configuration (key, value, version) VALUES (?, ?, ?)")
      .run(key, value, String(version));
    database.close();
  };
  beforeAll(async () => {
    folder = await temporaryFolder();
    app = await startTestApp();
    const resources = component("settings", "configuration.sqlite", {
      connectionString: `${folder.path}/settings.db`,
      pollInterval: "5ms",
    });
    sidecar = await startTestSidecar({ appPort: app.port, resources });
  });
  beforeEach(() => put("color", "red"));
  afterAll(async () => {
    await sidecar.stop();
    await app.close();
    await folder[Symbol.asyncDispose]();
  });

  const get = async (path: string): Promise<[number, unknown]> => {
    const response = await sidecar.fetch(path);
    const text = await response.text();
    return [response.status, text === "" ? undefined : JSON.parse(text)];
  };

  it.each(["/v1.0", "/v1.0-alpha1"])("answers %s", async (prefix) => {
    put("size", "1");
    expect(await get(`${prefix}/configuration/settings?key=color`)).toEqual([
      200,
      { color: { value: "red", version: String(version - 1) } },
    ]);
    expect(await get(`${prefix}/configuration/settings?key=none`)).toEqual([204, undefined]);
    const [, all] = await get(`${prefix}/configuration/settings`);
    expect(Object.keys(all as object)).toEqual(expect.arrayContaining(["color", "size"]));
    expect(await get(`${prefix}/configuration/other`)).toEqual([
      400,
      { errorCode: "ERR_CONFIGURATION_STORE_NOT_FOUND", message: "configuration store other not found" },
    ]);
  });

  it("tells the app of changes until it is unsubscribed", async () => {
    const [, answer] = await get("/v1.0/configuration/settings/subscribe?key=color");
    const { id } = answer as { readonly id: string };
    put("color", "blue");
    const told = (): readonly unknown[] =>
      app.at("/configuration/settings/color").map(({ method, body }) => [method, JSON.parse(body) as unknown]);
    await until("the app is told", () => told().length > 0);
    expect(told()[0]).toEqual(["POST", { id, items: { color: { value: "blue", version: String(version) } } }]);
    expect(await get(`/v1.0/configuration/settings/${id}/unsubscribe`)).toEqual([200, { ok: true }]);
    const message = `failed to unsubscribe to configuration request ${id}: subscription with id ${id} does not exist`;
    expect(await get(`/v1.0-alpha1/configuration/settings/${id}/unsubscribe`)).toEqual([500, { message }]);
  });

  it("needs an app to subscribe over HTTP", async () => {
    await using alone = await startTestSidecar({
      resources: component("settings", "configuration.sqlite", { connectionString: `${folder.path}/settings.db` }),
    });
    const response = await alone.fetch("/v1.0/configuration/settings/subscribe");
    expect([response.status, await response.json()]).toEqual([
      500,
      {
        errorCode: "ERR_APP_CHANNEL_NIL",
        message: "app channel is not initialized. cannot subscribe to configuration updates",
      },
    ]);
  });

  it.each(["", "Alpha1"] as const)("streams changes over gRPC, the id first (twin: %j)", async (twin) => {
    const client = new Client(`127.0.0.1:${sidecar.sidecar.ports.grpc ?? 0}`, credentials.createInsecure());
    const method = daprMethods[`subscribeConfiguration${twin}`];
    const same = (bytes: Buffer): Buffer => bytes;
    const request = create(SubscribeConfigurationRequestSchema, { storeName: "settings", keys: ["color"] });
    const stream = client.makeServerStreamRequest(method.path, same, same, Buffer.from(method.encodeRequest(request)));
    const messages: SubscribeConfigurationResponse[] = [];
    let ended = false;
    stream.on("data", (bytes: Buffer) => messages.push(method.decodeResponse(bytes)));
    stream.on("end", () => {
      ended = true;
    });
    await until("the id has come", () => messages.length === 1);
    const id = messages[0]?.id ?? "";
    expect([id.length, messages[0]?.items]).toEqual([36, {}]);
    put("color", "green");
    await until("the change has come", () => messages.length > 1);
    expect(messages[1]).toMatchObject({ id, items: { color: { value: "green" } } });
    const unsubscribe = (): Promise<{ ok: boolean; message: string }> =>
      sidecar.grpc.call(
        daprMethods[`unsubscribeConfiguration${twin}`],
        create(UnsubscribeConfigurationRequestSchema, { storeName: "settings", id }),
      );
    expect((await unsubscribe()).ok).toBe(true);
    await until("the stream has ended", () => ended);
    expect(await unsubscribe()).toMatchObject({
      ok: false,
      message: `failed to unsubscribe to configuration request ${id}: subscription does not exist`,
    });
    client.close();
  });

  it("answers and refuses over gRPC", async () => {
    const { items } = await sidecar.grpc.call(
      daprMethods.getConfigurationAlpha1,
      create(GetConfigurationRequestSchema, { storeName: "settings", keys: ["color"] }),
    );
    expect(items["color"]).toMatchObject({ value: "red" });
    const failure = await sidecar.grpc.failure(
      daprMethods.getConfiguration,
      create(GetConfigurationRequestSchema, { storeName: "other" }),
    );
    expect(failure).toMatchObject({ code: 3, message: "configuration store other not found" });
    expect(failure.metadata.get("grpc-status-details-bin")).toHaveLength(1);
  });
});

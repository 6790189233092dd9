import { describe, expect, it } from "vitest";
import { testControl } from "../../blocks/control/control.fixture.ts";
import { controlRoutes, METADATA_VALUE_BYTES_MAX } from "./control.ts";
import { testDoor } from "./door.fixture.ts";

function controlDoor(...given: Parameters<typeof testControl>) {
  const parts = testControl(...given);
  return { ...parts, door: testDoor({ routes: controlRoutes(parts.control) }) };
}

it("health routes answer 204, or 500 with the reason", async () => {
  const { door, runtime, outbound } = controlDoor();
  expect(await door.call("GET", "/v1.0/healthz")).toMatchObject({
    status: 500,
    text: '{"errorCode":"ERR_HEALTH_NOT_READY","message":"dapr is not ready: [runtime]"}',
  });
  expect(await door.call("GET", "/v1.0/healthz/outbound")).toMatchObject({
    status: 500,
    text: '{"errorCode":"ERR_OUTBOUND_HEALTH_NOT_READY","message":"dapr outbound is not ready"}',
  });
  runtime.ready();
  outbound.ready();
  expect(await door.call("GET", "/v1.0/healthz")).toMatchObject({ status: 204, text: "" });
  expect((await door.call("GET", "/v1.0/healthz/outbound")).status).toBe(204);
  expect((await door.call("GET", "/v1.0/healthz?appid=app")).status).toBe(204);
  expect((await door.call("GET", "/v1.0/healthz?appid=")).text).toContain("ERR_HEALTH_APPID_NOT_MATCH");
});

describe("metadata", () => {
  it("is printed with Dapr's names, empty fields left out", async () => {
    const { door } = controlDoor({
      subscriptions: () => [
        {
          pubsubName: "broker",
          topic: "t",
          metadata: {},
          rules: [{ match: "", path: "/t" }],
          deadLetterTopic: "",
          type: "DECLARATIVE",
        },
      ],
    });
    expect(JSON.parse((await door.call("GET", "/v1.0/metadata")).text)).toEqual({
      id: "app",
      runtimeVersion: "1.18.3",
      enabledFeatures: ["HotReload"],
      components: [{ name: "store", type: "state.in-memory", version: "v1", capabilities: ["ETAG"] }],
      extended: { daprRuntimeVersion: "1.18.3" },
      subscriptions: [
        { pubsubname: "broker", topic: "t", rules: [{ path: "/t" }], deadLetterTopic: "", type: "DECLARATIVE" },
      ],
      appConnectionProperties: { port: 8080, protocol: "http", channelAddress: "127.0.0.1" },
      actorRuntime: { runtimeStatus: "DISABLED", hostReady: false, placement: "placement: disconnected" },
    });
  });

  it("takes a value whole, up to its limit", async () => {
    const { door, control } = controlDoor();
    expect((await door.call("PUT", "/v1.0/metadata/a%2Fb", [], "any ü text")).status).toBe(204);
    expect(control.metadata().extended).toMatchObject({ "a/b": "any ü text" });
    expect((await door.call("PUT", "/v1.0/metadata/big", [], "x".repeat(METADATA_VALUE_BYTES_MAX + 1))).status).toBe(
      413,
    );
    expect(control.metadata().extended["big"]).toBeUndefined();
  });
});

it("shutdown is answered, then done; any spelling of true forces it", async () => {
  const { door, asked, clock } = controlDoor();
  expect((await door.call("POST", "/v1.0/shutdown")).status).toBe(204);
  expect((await door.call("POST", "/v1.0/shutdown", ["dapr-force-shutdown", "TRUE"])).status).toBe(204);
  expect((await door.call("POST", "/v1.0/shutdown", ["dapr-force-shutdown", "1"])).status).toBe(204);
  clock.advance(1000);
  expect(asked).toEqual(["stop", "stop", "exit"]);
  expect((await door.call("GET", "/v1.0/shutdown")).status).toBe(299);
});

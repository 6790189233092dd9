import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { testControl } from "../../blocks/control/control.fixture.ts";
import { metadataOf } from "../../net/grpc/metadata.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import { ShutdownRequestSchema } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import {
  ActorRuntime_ActorRuntimeStatus,
  GetMetadataRequestSchema,
  PubsubSubscriptionType,
  SetMetadataRequestSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/metadata_pb.js";
import { controlHandlers } from "./control.ts";

function callWith(fields: Readonly<Record<string, string>> = {}): ServerCall {
  return { metadata: metadataOf(fields) } as Partial<ServerCall> as ServerCall;
}

it("GetMetadata tells all that the runtime knows of itself", async () => {
  const { control } = testControl({
    resiliencies: () => ["patient"],
    httpEndpoints: () => ["outside"],
    appConnection: {
      port: 1,
      protocol: "http",
      channelAddress: "a",
      maxConcurrency: 2,
      health: { path: "/h", probeInterval: "5s", probeTimeout: "500ms", threshold: 3 },
    },
    subscriptions: () => [
      {
        pubsubName: "broker",
        topic: "t",
        metadata: { a: "b" },
        rules: [{ match: "m", path: "/p" }],
        deadLetterTopic: "d",
        type: "PROGRAMMATIC",
      },
    ],
  });
  control.setMetadata("cliPID", "7");
  expect(await controlHandlers(control).getMetadata(create(GetMetadataRequestSchema), callWith())).toMatchObject({
    id: "app",
    runtimeVersion: "1.18.3",
    enabledFeatures: ["HotReload"],
    registeredComponents: [{ name: "store", type: "state.in-memory", version: "v1", capabilities: ["ETAG"] }],
    extendedMetadata: { cliPID: "7", daprRuntimeVersion: "1.18.3" },
    subscriptions: [
      {
        pubsubName: "broker",
        topic: "t",
        metadata: { a: "b" },
        deadLetterTopic: "d",
        type: PubsubSubscriptionType.PROGRAMMATIC,
        rules: { rules: [{ match: "m", path: "/p" }] },
      },
    ],
    httpEndpoints: [{ name: "outside" }],
    resiliencies: [{ name: "patient" }],
    actorRuntime: { runtimeStatus: ActorRuntime_ActorRuntimeStatus.DISABLED, placement: "placement: disconnected" },
    appConnectionProperties: {
      port: 1,
      protocol: "http",
      channelAddress: "a",
      maxConcurrency: 2,
      health: { healthCheckPath: "/h", healthProbeInterval: "5s", healthProbeTimeout: "500ms", healthThreshold: 3 },
    },
  });
});

it("SetMetadata keeps a value", async () => {
  const { control } = testControl();
  await controlHandlers(control).setMetadata(create(SetMetadataRequestSchema, { key: "k", value: "v" }), callWith());
  expect(control.metadata().extended["k"]).toBe("v");
});

describe("Shutdown", () => {
  it.each([
    [{}, ["stop"]],
    [{ "dapr-force-shutdown": "false" }, ["stop"]],
    [{ "dapr-force-shutdown": "True" }, ["exit"]],
  ])("with %j asks for %j", async (fields, expected) => {
    const { control, clock, asked } = testControl();
    await controlHandlers(control).shutdown(create(ShutdownRequestSchema), callWith(fields));
    clock.advance(1000);
    expect(asked).toEqual(expected);
  });
});

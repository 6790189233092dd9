import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { PublishEventRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { GetMetadataRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/metadata_pb.js";
import { GetStateRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/state_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { configuration, IN_MEMORY } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

const getState = create(GetStateRequestSchema, { storeName: "store", key: "key" });
const publish = create(PublishEventRequestSchema, { pubsubName: "broker", topic: "topic" });

describe("spec.api", () => {
  it("a denied API is not there, and everything else is", async () => {
    const denied = configuration(
      "  api:\n    denied:\n      - { name: state, version: v1, protocol: http }\n      - { name: publish, version: v1, protocol: grpc }\n",
    );
    await using one = await startTestSidecar({ resources: IN_MEMORY, configuration: denied });
    const response = await one.fetch("/v1.0/state/store/key");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ errorCode: "ERR_DIRECT_INVOKE" });
    expect((await one.fetch("/v1.0/publish/broker/topic", { method: "POST", body: "x" })).status).toBe(204);

    expect((await one.grpc.failure(daprMethods.publishEvent, publish)).code).toBe(GRPC_STATUS.UNIMPLEMENTED);
    expect((await one.grpc.call(daprMethods.getState, getState)).data).toHaveLength(0);
  });

  it("an allow list leaves nothing else, health routes aside", async () => {
    const allowed = configuration(
      "  api:\n    allowed:\n      - { name: state, version: v1.0, protocol: http }\n      - { name: metadata, version: v1, protocol: grpc }\n",
    );
    await using one = await startTestSidecar({ resources: IN_MEMORY, configuration: allowed });
    expect((await one.fetch("/v1.0/state/store/key")).status).toBe(204);
    expect((await one.fetch("/v1.0/metadata")).status).toBe(404);
    expect((await one.fetch("/v1.0/publish/broker/topic", { method: "POST", body: "x" })).status).toBe(404);
    expect((await one.fetch("/v1.0/healthz")).status).toBe(204);

    expect((await one.grpc.call(daprMethods.getMetadata, create(GetMetadataRequestSchema))).id).toBe("test-app");
    const refused = await one.grpc.failure(daprMethods.getState, getState);
    expect(refused.code).toBe(GRPC_STATUS.UNIMPLEMENTED);
    expect(String(refused.metadata.get("grpc-status-details-bin")[0])).toContain("requested endpoint is not available");
  });
});

import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { PublishEventRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

const INVALID_RAW =
  "failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is 'perhaps'";

it("publishes that cannot be are refused in Dapr's words over both doors", async () => {
  await using one = await startTestSidecar({ resources: IN_MEMORY });
  const overHttp = async (path: string, type = "text/plain", body = "x") => {
    const init = { method: "POST", headers: { "content-type": type }, body };
    const response = await one.fetch(`/v1.0/publish${path}`, init);
    const { errorCode, message, details } = (await response.json()) as Record<string, unknown>;
    return { status: response.status, errorCode, message, reason: reasonOf(details) };
  };
  expect(await overHttp("/nope/orders")).toEqual({
    status: 404,
    errorCode: "ERR_PUBSUB_NOT_FOUND",
    message: "pubsub nope is not found",
    reason: "DAPR_PUBSUB_NOT_FOUND",
  });
  expect(await overHttp("/")).toMatchObject({
    status: 404,
    errorCode: "ERR_PUBSUB_EMPTY",
    message: "pubsub name is empty",
    reason: "DAPR_PUBSUB_NAME_EMPTY",
  });
  expect(await overHttp("/broker/")).toEqual({
    status: 404,
    errorCode: "ERR_TOPIC_NAME_EMPTY",
    message: "topic is empty in pubsub broker",
    reason: "DAPR_PUBSUB_TOPIC_NAME_EMPTY",
  });
  expect(await overHttp("/broker/orders?metadata.rawPayload=perhaps")).toEqual({
    status: 400,
    errorCode: "ERR_PUBSUB_REQUEST_METADATA",
    message: INVALID_RAW,
    reason: "DAPR_PUBSUB_METADATA_DESERIALIZATION",
  });
  expect(await overHttp("/broker/orders", "application/cloudevents+json", "no event")).toEqual({
    status: 500,
    errorCode: "ERR_PUBSUB_CLOUD_EVENTS_SER",
    message: "cannot create cloudevent",
    reason: "DAPR_PUBSUB_CLOUD_EVENT_CREATION",
  });
  expect(await overHttp("/bulk/broker/orders", "application/json", "no list")).toMatchObject({
    status: 400,
    errorCode: "ERR_PUBSUB_EVENTS_SER",
    message: expect.stringContaining("error when unmarshaling the request for topic orders pubsub broker: ") as unknown,
    reason: "DAPR_PUBSUB_UNMARSHAL_EVENTS",
  });

  const overGrpc = (pubsubName: string, topic: string, metadata: Record<string, string> = {}, dataContentType = "") =>
    one.grpc.failure(
      daprMethods.publishEvent,
      create(PublishEventRequestSchema, { pubsubName, topic, metadata, dataContentType, data: Buffer.from("x") }),
    );
  const refused = (message: string) => ({ code: status.INVALID_ARGUMENT, message });
  expect(await overGrpc("nope", "orders")).toMatchObject(refused("pubsub nope is not found"));
  expect(await overGrpc("", "orders")).toMatchObject(refused("pubsub name is empty"));
  expect(await overGrpc("broker", "")).toMatchObject(refused("topic is empty in pubsub broker"));
  expect(await overGrpc("broker", "orders", { rawPayload: "perhaps" })).toMatchObject(refused(INVALID_RAW));
  expect(await overGrpc("broker", "orders", {}, "application/cloudevents+json")).toMatchObject(
    refused("cannot create cloudevent"),
  );
});

function reasonOf(details: unknown): unknown {
  const infos = (details ?? []) as { readonly "@type": string; readonly reason?: string }[];
  return infos.find((detail) => detail["@type"].endsWith("ErrorInfo"))?.reason;
}

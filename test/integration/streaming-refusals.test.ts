import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { component } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { TopicStream } from "../harness/topic-stream.ts";

it("streams are refused in Dapr's words, and one refusal leaves the others alone", async () => {
  const resources = component("broker", "pubsub.in-memory", {
    allowedTopics: "open,closed",
    protectedTopics: "closed",
  });
  await using one = await startTestSidecar({ resources });
  await using live = await TopicStream.to(one, "open");
  const refusal = async (...requests: Parameters<TopicStream["send"]>[0][]) => {
    await using stream = new TopicStream(one);
    requests.forEach((request) => stream.send(request));
    return await stream.ended();
  };
  const initial = (pubsubName: string, topic: string) =>
    ({ case: "initialRequest", value: { pubsubName, topic } }) as const;
  expect(await refusal(initial("", "open"))).toEqual({ code: status.UNKNOWN, message: "pubsubName is required" });
  expect(await refusal(initial("broker", ""))).toEqual({ code: status.UNKNOWN, message: "topic is required" });
  expect(await refusal({ case: "eventProcessed", value: { id: "1" } })).toEqual({
    code: status.UNKNOWN,
    message: "initial request is required",
  });
  expect(await refusal(initial("nope", "open"))).toEqual({
    code: status.INVALID_ARGUMENT,
    message: "pubsub nope is not found",
  });
  for (const topic of ["closed", "unheard-of"]) {
    expect(await refusal(initial("broker", topic))).toEqual({
      code: status.UNKNOWN,
      message: `failed to create subscription for broker: subscription to topic '${topic}' on pubsub 'broker' is not allowed`,
    });
  }
  expect(await refusal(initial("broker", "open"), initial("broker", "open"))).toEqual({
    code: status.UNKNOWN,
    message: "duplicate initial request received",
  });
  expect(live.end).toBeUndefined();
});

it("the API's deny list covers streams", async () => {
  const configuration = `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: config }
spec: { api: { denied: [{ name: subscribe, version: v1alpha1, protocol: grpc }] } }
`;
  await using one = await startTestSidecar({ configuration });
  await using stream = new TopicStream(one);
  expect((await stream.ended()).code).toBe(status.UNIMPLEMENTED);
});

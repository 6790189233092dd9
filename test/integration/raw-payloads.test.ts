import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import {
  ListTopicSubscriptionsResponseSchema,
  type TopicEventRequest,
  TopicEventResponseSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { startGrpcApp } from "../harness/grpc-app.ts";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const RAW = { rawPayload: "true" };
const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const WRAPPED = {
  data_base64: expect.any(String) as unknown,
  datacontenttype: "application/octet-stream",
  id: expect.any(String) as unknown,
  pubsubname: "broker",
  source: "Dapr",
  specversion: "1.0",
  type: "com.dapr.event.sent",
};

async function publish(one: TestSidecar, topic: string, query = ""): Promise<void> {
  const headers = { "content-type": "application/json", traceparent: TRACEPARENT, tracestate: "a=b" };
  await one.fetch(`/v1.0/publish/broker/${topic}${query}`, { method: "POST", headers, body: '{"n":1}' });
}

it("raw payloads go out as they are, and come in as events around the bytes", async () => {
  await using app = await startTestApp({
    subscriptions: ["raw", "twice"].map((topic) => ({
      pubsubname: "broker",
      topic,
      route: `/${topic}`,
      metadata: RAW,
    })),
  });
  await using one = await startTestSidecar({ appPort: app.port, resources: IN_MEMORY });
  await publish(one, "raw", "?metadata.rawPayload=true");
  await publish(one, "twice");
  await until("both are there", () => app.at("/raw").length === 1 && app.at("/twice").length === 1);
  const [raw, twice] = ["/raw", "/twice"].map(
    (url) => JSON.parse(app.at(url)[0]?.body ?? "") as Record<string, string>,
  );
  expect(raw).toEqual({
    ...WRAPPED,
    topic: "raw",
    traceid: TRACEPARENT,
    tracestate: "a=b",
  });
  expect(Buffer.from(raw?.["data_base64"] ?? "", "base64").toString()).toBe('{"n":1}');
  expect(twice).toEqual({ ...WRAPPED, topic: "twice" });
  expect(JSON.parse(Buffer.from(twice?.["data_base64"] ?? "", "base64").toString())).toMatchObject({
    data: { n: 1 },
    datacontenttype: "application/json",
    traceparent: TRACEPARENT,
  });
});

it("an app that speaks gRPC gets the bytes themselves", async () => {
  const events: TopicEventRequest[] = [];
  await using app = await startGrpcApp({
    listTopicSubscriptions: () =>
      create(ListTopicSubscriptionsResponseSchema, {
        subscriptions: [{ pubsubName: "broker", topic: "raw", metadata: RAW, routes: { default: "/raw" } }],
      }),
    onTopicEvent(request) {
      events.push(request);
      return create(TopicEventResponseSchema);
    },
  });
  await using one = await startTestSidecar({ appPort: app.port, appProtocol: "grpc", resources: IN_MEMORY });
  await publish(one, "raw", "?metadata.rawPayload=true");
  await until("it is there", () => events.length === 1);
  expect(events[0]).toMatchObject({
    dataContentType: "application/octet-stream",
    type: "com.dapr.event.sent",
    path: "/raw",
  });
  expect(Buffer.from(events[0]?.data ?? []).toString()).toBe('{"n":1}');
});

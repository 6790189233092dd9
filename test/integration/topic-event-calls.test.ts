import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import {
  ListTopicSubscriptionsResponseSchema,
  type TopicEventRequest,
  TopicEventResponseSchema,
  TopicEventResponse_TopicEventResponseStatus as Status,
} from "../../src/wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { startGrpcApp } from "../harness/grpc-app.ts";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

it("an HTTP app gets events with its token, the trace and the broker's metadata", async () => {
  await using app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders" }],
  });
  await using one = await startTestSidecar({ appPort: app.port, appToken: "secret", resources: IN_MEMORY });
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const publish = (body: string, headers: Record<string, string>) =>
    one.fetch("/v1.0/publish/broker/orders", { method: "POST", headers, body });
  await publish("x", { "content-type": "text/plain", traceparent, tracestate: "a=b" });
  const odd = { specversion: "1.0", id: "odd", source: "s", type: "t", traceid: 5, traceparent: {}, data: 1 };
  await publish(JSON.stringify(odd), { "content-type": "application/cloudevents+json" });
  await until("both are there", () => app.at("/orders").length === 2);
  expect(app.at("/orders")[0]?.headers).toMatchObject({
    "content-type": "application/cloudevents+json",
    "dapr-api-token": "secret",
    pubsubname: "broker",
    traceparent: expect.stringContaining("4bf92f3577b34da6a3ce929d0e0e4736") as unknown,
    tracestate: "a=b",
  });
  expect(JSON.parse(app.at("/orders")[1]?.body ?? "")).toMatchObject({ id: "odd", traceid: 5 });
});

it("a gRPC app's answers decide, one without the call loses nothing but its event", async () => {
  const events: TopicEventRequest[] = [];
  await using app = await startGrpcApp({
    listTopicSubscriptions: () =>
      create(ListTopicSubscriptionsResponseSchema, {
        subscriptions: ["success", "retry", "drop", "unknown", "error", "unimplemented"]
          .map((topic) => ({ pubsubName: "broker", topic, deadLetterTopic: "dead" }))
          .concat({ pubsubName: "broker", topic: "dead", deadLetterTopic: "" }),
      }),
    onTopicEvent(request) {
      events.push(request);
      const code = { error: status.INTERNAL, unimplemented: status.UNIMPLEMENTED }[request.topic];
      if (code !== undefined) {
        throw Object.assign(new Error("no"), { code, details: "no" });
      }
      const answers: Readonly<Record<string, number>> = { retry: Status.RETRY, drop: Status.DROP, unknown: 9 };
      return create(TopicEventResponseSchema, { status: answers[request.topic] ?? Status.SUCCESS });
    },
  });
  await using one = await startTestSidecar({ appPort: app.port, appProtocol: "grpc", resources: IN_MEMORY });
  for (const topic of ["success", "unimplemented", "retry", "drop", "unknown", "error"]) {
    await one.fetch(`/v1.0/publish/broker/${topic}`, { method: "POST", body: topic });
  }
  const dead = () => events.filter(({ topic }) => topic === "dead").map(({ data }) => Buffer.from(data).toString());
  await until("four are dead lettered", () => dead().length === 4);
  expect(dead().toSorted()).toEqual(["drop", "error", "retry", "unknown"]);
  expect(events.every(({ path }) => path === "")).toBe(true);
});

import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const ROUTES = { pubsubname: "broker", topic: "orders", route: "/orders", deadLetterTopic: "dead" };
const DEAD = { pubsubname: "broker", topic: "dead", route: "/dead" };

interface Publication {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly query?: string;
}

/** Publishes one after the other. @returns what the app got, as it came */
async function delivered(app: TestApp, publications: readonly Publication[]): Promise<string[]> {
  await using one = await startTestSidecar({ appPort: app.port, resources: IN_MEMORY });
  for (const [index, { body, type, query = "" }] of publications.entries()) {
    const headers = { "content-type": type, traceparent: TRACEPARENT };
    const response = await one.fetch(`/v1.0/publish/broker/orders${query}`, { method: "POST", headers, body });
    expect(response.status).toBe(204);
    await until("it is there", () => app.at("/orders").length === index + 1);
  }
  return app.at("/orders").map(({ body }) => body);
}

it("what is published is wrapped by its content type, numbers as they stand", async () => {
  await using app = await startTestApp({ subscriptions: [ROUTES] });
  const texts = await delivered(app, [
    { body: '{"n":12345678901234567890,"f":1.10}', type: "application/json" },
    { body: "plain", type: "text/plain" },
    { body: Uint8Array.of(0, 255), type: "application/octet-stream" },
    { body: "not json", type: "application/json" },
    {
      body: "x",
      type: "text/plain",
      query: "?metadata.cloudevent.id=own&metadata.CloudEvent.type=t&metadata.cloudevent.subject=s",
    },
  ]);
  expect(texts[0]).toContain('"data":{"n":12345678901234567890,"f":1.10}');
  const events = texts.map((text) => JSON.parse(text) as Record<string, unknown>);
  expect(events[1]).toEqual({
    data: "plain",
    datacontenttype: "text/plain",
    id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
    pubsubname: "broker",
    source: "test-app",
    specversion: "1.0",
    time: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T[\d:]{8}Z$/) as unknown,
    topic: "orders",
    traceid: TRACEPARENT,
    traceparent: TRACEPARENT,
    tracestate: "",
    type: "com.dapr.event.sent",
  });
  expect(events[2]).toMatchObject({ data_base64: "AP8=", datacontenttype: "application/octet-stream" });
  expect(events[3]).toMatchObject({ data: "not json", datacontenttype: "application/json" });
  expect(events[4]).toMatchObject({ id: "own", type: "t", subject: "s" });
});

it("what is a CloudEvent already stays one: gaps are filled, topic and broker are ours", async () => {
  await using app = await startTestApp({ subscriptions: [ROUTES] });
  const own = { id: "own", type: "t", data: { n: 1 }, topic: "elsewhere", custom: [1], time: "yesterday" };
  const [text = ""] = await delivered(app, [
    { body: JSON.stringify(own), type: "application/cloudevents+json; charset=utf-8" },
  ]);
  expect(JSON.parse(text)).toEqual({
    ...own,
    topic: "orders",
    pubsubname: "broker",
    source: "Dapr",
    specversion: "1.0",
    traceid: TRACEPARENT,
    traceparent: TRACEPARENT,
    tracestate: "",
  });
});

it("events whose time is out, and what is no event, go to the dead letter topic", async () => {
  await using app = await startTestApp({ subscriptions: [ROUTES, DEAD] });
  await using one = await startTestSidecar({ appPort: app.port, resources: IN_MEMORY });
  const publish = (body: string, type: string, query = "") =>
    one.fetch(`/v1.0/publish/broker/orders${query}`, { method: "POST", headers: { "content-type": type }, body });
  const old = { specversion: "1.0", id: "old", source: "s", type: "t", expiration: "2020-01-01T00:00:00Z" };
  await publish(JSON.stringify(old), "application/cloudevents+json");
  await publish("no event", "text/plain", "?metadata.rawPayload=true");
  await publish("young", "text/plain", "?metadata.ttlInSeconds=60");
  await until("the young one is there", () => app.at("/orders").length === 1);
  expect(JSON.parse(app.at("/orders")[0]?.body ?? "")).toMatchObject({
    data: "young",
    expiration: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
  });
  await until("the old one is told of", () =>
    one.logger.said("dropping expired pub/sub event old as of 2020-01-01T00:00:00Z"),
  );
  await until("the other is at the dead letter topic", () =>
    one.logger.said("error deserializing cloud event in pubsub broker and topic dead"),
  );
});

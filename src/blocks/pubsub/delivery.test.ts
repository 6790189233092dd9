import { describe, expect, test } from "vitest";
import type { DeliveryOutcome, SubscriptionSpec } from "../../app/types.ts";
import { createBlockFixture, FakeChannel, parsed, settle, subscriptionTo } from "./pubsub.fixture.ts";
import { DEAD_LETTER_PUBLISH_MS_MAX } from "./dead-letters.ts";
import { createSubscriptions } from "./subscriptions.ts";

const EVENT = '{"id":"1","topic":"orders","type":"order.v1","data":{"n":7}}';
const NO_TRACEPARENT = "00-00000000000000000000000000000000-0000000000000000-00";

async function subscribed(
  rest: Partial<SubscriptionSpec> = {},
  options: Parameters<typeof createBlockFixture>[0] = {},
) {
  const fixture = createBlockFixture(options);
  const channel = new FakeChannel();
  channel.subscriptions = [subscriptionTo("orders", rest)];
  const subscriptions = createSubscriptions({ ...fixture, programmaticEnabled: true });
  await subscriptions.start(channel);
  fixture.logger.lines.length = 0;
  return { ...fixture, channel, subscriptions };
}

function answering(outcome: DeliveryOutcome): FakeChannel["answer"] {
  return () => outcome;
}

describe("what the app gets", () => {
  test("the envelope as it came, with path, metadata and an empty trace", async () => {
    const { broker, channel } = await subscribed();
    await broker.push("orders", EVENT, { metadata: { key: "v" }, contentType: "application/cloudevents+json" });
    expect(channel.events).toHaveLength(1);
    const event = channel.events[0] ?? expect.fail();
    expect(Buffer.from(event.envelope).toString()).toBe(EVENT);
    expect(event).toMatchObject({
      pubsubName: "pubsub",
      topic: "orders",
      path: "/orders",
      rawPayload: false,
      fields: { id: "1", data: { n: 7 } },
    });
    expect(event.metadata).toEqual({
      key: "v",
      "content-type": "application/cloudevents+json",
      pubsubName: "pubsub",
      traceparent: NO_TRACEPARENT,
    });
  });

  test("the event's trace context, also in binary", async () => {
    const { broker, channel } = await subscribed();
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02";
    await broker.push("orders", JSON.stringify({ id: "1", traceparent, tracestate: "a=b" }));
    await broker.push("orders", JSON.stringify({ id: "2", traceid: traceparent }));
    const bin = "AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgI=";
    expect(channel.events[0]?.metadata).toMatchObject({ traceparent, tracestate: "a=b", "grpc-trace-bin": bin });
    expect(channel.events[1]?.metadata).toMatchObject({ traceparent, "grpc-trace-bin": bin });
  });

  test.each(["12345", "true", '{"x":1}'])("a trace attribute that is no text (%s) does no harm", async (value) => {
    const { broker, channel } = await subscribed();
    await broker.push("orders", `{"id":"1","traceparent":${value}}`);
    expect(channel.events[0]?.metadata["traceparent"]).toBe(NO_TRACEPARENT);
  });

  test("trace attributes fall back to the message's metadata", async () => {
    const { broker, channel } = await subscribed();
    await broker.push("orders", '{"id":"1"}', { metadata: { traceid: "a", tracestate: "s" } });
    await broker.push("orders", '{"id":"2","traceid":"own"}', { metadata: { traceid: "a", traceparent: "p" } });
    expect(channel.events[0]?.fields).toEqual({ id: "1", traceid: "a", tracestate: "s" });
    expect(channel.events[1]?.fields).toEqual({ id: "2", traceid: "p", traceparent: "p" });
  });

  test("topics of a namespaced broker lose their prefix", async () => {
    const { broker, channel } = await subscribed({}, { namespaceScoped: true });
    await broker.push("prodorders", EVENT);
    expect(channel.events[0]?.topic).toBe("orders");
  });

  test("bare bytes become a new event", async () => {
    const { broker, channel } = await subscribed({ metadata: { rawPayload: "true" } });
    await broker.push("orders", "not json", { metadata: { traceparent: "p", traceid: "t", tracestate: "s" } });
    const event = channel.events[0] ?? expect.fail();
    expect(parsed(event.envelope)).toEqual({
      data_base64: "bm90IGpzb24=",
      datacontenttype: "application/octet-stream",
      id: "id-1",
      pubsubname: "pubsub",
      source: "Dapr",
      specversion: "1.0",
      topic: "orders",
      traceid: "p",
      traceparent: "p",
      tracestate: "s",
      type: "com.dapr.event.sent",
    });
    expect(event.rawPayload).toBe(true);
  });

  test("a binary-mode event is put together from its headers", async () => {
    const { broker, channel } = await subscribed();
    const data = Buffer.from([1, 2]);
    await broker.push("orders", data, {
      metadata: { ce_ID: "x", Ce_source: "s", other: "o", "content-type": "application/octet-stream" },
    });
    expect(channel.events[0]?.fields).toEqual({
      id: "x",
      source: "s",
      data,
      datacontenttype: "application/octet-stream",
    });
    expect(channel.events[0]?.envelope).toEqual(data);
  });
});

describe("routing", () => {
  const rules = [
    { match: ' event.type == "order.v2" ', path: "/v2" },
    { match: "event.data.n > 5", path: "/many" },
  ];

  test("the first rule that fits wins", async () => {
    const { broker, channel } = await subscribed({ rules: [...rules, { match: "", path: "/default" }] });
    await broker.push("orders", '{"id":"1","type":"order.v2","data":{"n":9}}');
    await broker.push("orders", EVENT);
    await broker.push("orders", '{"id":"1","type":"order.v1","data":{"n":1}}');
    expect(channel.events.map((event) => event.path)).toEqual(["/v2", "/many", "/default"]);
  });

  test("what fits no rule is acknowledged, and dead lettered where there is a topic for it", async () => {
    const { broker, channel, logger } = await subscribed({ rules, deadLetterTopic: "dead" });
    await broker.push("orders", '{"id":"1","type":"x","data":{"n":1}}');
    expect(channel.events).toEqual([]);
    expect(broker.published.map((request) => request.topic)).toEqual(["dead"]);
    expect(logger.lines).toEqual(["debug no matching route for event 1 in pubsub pubsub and topic orders; skipping"]);
  });

  test("a subscription without rules takes nothing", async () => {
    const { broker, channel } = await subscribed({ rules: [] });
    await broker.push("orders", EVENT);
    expect(channel.events).toEqual([]);
  });

  test("a rule that cannot be evaluated gives the message back", async () => {
    const { broker, logger } = await subscribed({ rules });
    await expect(broker.push("orders", '{"id":"1","type":"x"}')).rejects.toThrow("No such key: data");
    expect(logger.lines[0]).toMatch(
      /^error error finding matching route for event 1 in pubsub pubsub and topic orders: No such key: data/,
    );
    const other = await subscribed({ rules: [{ match: "event.type", path: "/" }], deadLetterTopic: "dead" });
    await other.broker.push("orders", EVENT);
    expect(other.logger.lines[0]).toContain("the result of match expression event.type was not a boolean");
    expect(other.broker.published[0]?.topic).toBe("dead");
  });
});

describe("outcomes", () => {
  test("a warning of a success is logged and the message acknowledged", async () => {
    const { broker, channel, logger } = await subscribed({ deadLetterTopic: "dead" });
    channel.answer = answering({ kind: "success", warning: "not implemented" });
    await broker.push("orders", EVENT);
    expect(logger.lines).toEqual(["warn not implemented"]);
    expect(broker.published).toEqual([]);
  });

  test("a drop is acknowledged; with a dead letter topic the message goes there as it came", async () => {
    const without = await subscribed();
    without.channel.answer = answering({ kind: "drop", reason: "dropped", severity: "error" });
    await without.broker.push("orders", EVENT);
    expect(without.logger.lines).toEqual(["error dropped"]);
    const { broker, channel } = await subscribed({ deadLetterTopic: "dead" });
    channel.answer = answering({ kind: "drop", reason: "dropped" });
    await broker.push("orders", EVENT, { metadata: { key: "v" } });
    expect(broker.published).toEqual([
      { topic: "dead", data: Buffer.from(EVENT), contentType: undefined, metadata: { key: "v", pubsubName: "pubsub" } },
    ]);
  });

  test("a retry gives the message back, or dead letters it", async () => {
    const without = await subscribed();
    without.channel.answer = answering({ kind: "retry", reason: "busy" });
    await expect(without.broker.push("orders", EVENT)).rejects.toThrow("busy");
    expect(without.logger.lines).toEqual([
      "warn encountered a retriable error while publishing a subscribed message to topic orders, err: busy",
    ]);
    const { broker, channel } = await subscribed({ deadLetterTopic: "dead" });
    channel.answer = answering({ kind: "retry", reason: "busy" });
    await broker.push("orders", EVENT);
    expect(broker.published).toHaveLength(1);
  });

  test("a channel that throws counts as retry", async () => {
    const { broker, channel } = await subscribed();
    channel.answer = () => Promise.reject(new Error("no answer"));
    await expect(broker.push("orders", EVENT)).rejects.toThrow("no answer");
  });

  test("a dead letter that cannot be published gives the message back", async () => {
    const { broker, channel, logger } = await subscribed({ deadLetterTopic: "dead" });
    broker.publishError = () => new Error("full");
    channel.answer = answering({ kind: "retry", reason: "busy" });
    await expect(broker.push("orders", EVENT)).rejects.toThrow("busy");
    channel.answer = answering({ kind: "drop", reason: "dropped" });
    await expect(broker.push("orders", EVENT)).rejects.toThrow("pubsub message dropped");
    expect(logger.lines).toContain(
      "error error sending message to dead letter, origin topic: orders dead letter topic dead err: full",
    );
    expect(logger.lines).toContain("warn failed to send dropped message to dead letter queue for topic orders: full");
  });

  test("a dead letter topic that the app may not publish to gives the message back", async () => {
    const { broker, channel } = await subscribed(
      { deadLetterTopic: "dead" },
      { metadata: { publishingScopes: "shop=orders" } },
    );
    channel.answer = answering({ kind: "retry", reason: "busy" });
    await expect(broker.push("orders", EVENT)).rejects.toThrow("busy");
  });

  test("a dead letter publish that takes too long counts as failed", async () => {
    const { broker, channel, clock } = await subscribed({ deadLetterTopic: "dead" });
    channel.answer = answering({ kind: "retry", reason: "busy" });
    broker.publish = () => new Promise(() => undefined);
    const settled = expect(broker.push("orders", EVENT)).rejects.toThrow("busy");
    await settle();
    clock.advance(DEAD_LETTER_PUBLISH_MS_MAX);
    await settled;
  });
});

describe("messages that never reach the app", () => {
  test.each(["2026-03-01T12:00:00Z", "2026-03-01T13:00:00+01:00", "2026-03-01T12:00:00.5Z"])(
    "expired at %s",
    async (expiration) => {
      const { broker, channel, logger } = await subscribed({ deadLetterTopic: "dead" });
      await broker.push("orders", JSON.stringify({ id: "1", expiration }));
      expect(channel.events).toEqual([]);
      expect(logger.lines).toEqual([`warn dropping expired pub/sub event 1 as of ${expiration}`]);
      expect(broker.published).toHaveLength(1);
    },
  );

  test.each(["2026-03-01T12:00:01Z", "", "then", 5])("not yet expired: %s", async (expiration) => {
    const { broker, channel } = await subscribed();
    await broker.push("orders", JSON.stringify({ id: "1", expiration }));
    expect(channel.events).toHaveLength(1);
  });

  test.each(["{", "[]", "1", "not json"])("no event: %s", async (data) => {
    const { broker, logger } = await subscribed();
    await expect(broker.push("orders", data)).rejects.toThrow();
    expect(logger.lines[0]).toMatch(/^error error deserializing cloud event in pubsub pubsub and topic orders: /);
    const other = await subscribed({ deadLetterTopic: "dead" });
    await other.broker.push("orders", data);
    expect(Buffer.from(other.broker.published[0]?.data ?? []).toString()).toBe(data);
  });

  test("a subscription whose rawPayload cannot be read", async () => {
    const { broker, logger } = await subscribed({ metadata: { rawPayload: "perhaps" } });
    await expect(broker.push("orders", EVENT)).rejects.toThrow();
    expect(logger.lines).toEqual([
      "error error deserializing pubsub metadata: rawPayload value must be a valid boolean: actual is 'perhaps'",
    ]);
  });
});

import { describe, expect, it, test } from "vitest";
import type { DeliveryOutcome } from "../../app/types.ts";
import { RecordingTracer } from "../../kit/recording-tracer.fixture.ts";
import { createPubSubBlock } from "./pubsub-block.ts";
import { createBlockFixture, FakeChannel, parsed, subscriptionTo } from "./pubsub.fixture.ts";
import { createSubscriptions } from "./subscriptions.ts";

const PRODUCER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async function subscribed(answer?: DeliveryOutcome) {
  const tracer = new RecordingTracer();
  const fixture = createBlockFixture();
  const channel = new FakeChannel();
  channel.subscriptions = [subscriptionTo("orders")];
  if (answer !== undefined) {
    channel.answer = () => answer;
  }
  const subscriptions = createSubscriptions({ ...fixture, programmaticEnabled: true, tracer });
  await subscriptions.start(channel);
  return { ...fixture, channel, spans: tracer.spans };
}

describe("an event on its way to the app", () => {
  it("has a span below its producer's, linked to it, and the app gets that span's context", async () => {
    const { broker, channel, spans } = await subscribed();
    await broker.push("orders", JSON.stringify({ id: "e1", traceparent: PRODUCER, tracestate: "a=b" }));
    expect(spans).toMatchObject([
      {
        name: "pubsub/orders",
        kind: 3,
        parent: { traceparent: PRODUCER, tracestate: "a=b" },
        links: [{ traceparent: PRODUCER, tracestate: "a=b" }],
        attributes: {
          "messaging.system": "pubsub",
          "messaging.destination.name": "orders",
          "messaging.operation.type": "process",
          "messaging.message.id": "e1",
        },
        failure: undefined,
        ended: 1,
      },
    ]);
    expect(channel.events[0]?.metadata).toMatchObject({ traceparent: spans[0]?.traceparent, tracestate: "a=b" });
    expect(channel.events[0]?.metadata["grpc-trace-bin"]).toBeDefined();
  });

  it("begins a trace where it came without one", async () => {
    const { broker, channel, spans } = await subscribed();
    await broker.push("orders", '{"id":"e1"}');
    expect(spans).toMatchObject([{ parent: undefined, links: [], ended: 1 }]);
    expect(channel.events[0]?.metadata["traceparent"]).toBe(spans[0]?.traceparent);
  });

  it("has none where its trace is no text", async () => {
    const { broker, channel, spans } = await subscribed();
    await broker.push("orders", '{"id":"e1","traceparent":7}');
    expect([spans.length, channel.events.length]).toEqual([0, 1]);
  });

  test.each([
    [{ kind: "retry", reason: "later" }, "later"],
    [{ kind: "drop", reason: "never" }, "never"],
    [{ kind: "success" }, undefined],
  ] as const)("ends as the app has answered: %j", async (outcome, failure) => {
    const { broker, spans } = await subscribed(outcome);
    await broker.push("orders", JSON.stringify({ id: "e1", traceparent: PRODUCER })).catch(() => undefined);
    expect(spans).toMatchObject([{ failure, ended: 1 }]);
  });
});

describe("a bulk publish", () => {
  const entries = ["1", "2"].map((entryId) => ({
    entryId,
    event: Buffer.from("x"),
    contentType: "",
    metadata: undefined,
  }));
  const call = { pubsub: "pubsub", topic: "orders", entries, metadata: {} };
  const request = { traceparent: PRODUCER, tracestate: "", name: "/v1.0/publish/bulk/pubsub/orders" };

  function publisher() {
    const tracer = new RecordingTracer();
    const fixture = createBlockFixture();
    const block = createPubSubBlock({ ...fixture, appId: "shop", namespace: "prod", tracer });
    return { ...fixture, block, spans: tracer.spans };
  }

  it("gives each message a producer's span, whose context it carries", async () => {
    const { block, broker, spans } = publisher();
    await block.bulkPublish({ ...call, trace: request });
    expect(spans).toMatchObject([
      { name: request.name, kind: 4, parent: request, failure: undefined, ended: 1 },
      { name: request.name, kind: 4, parent: request, failure: undefined, ended: 1 },
    ]);
    expect(broker.published.map(({ data }) => parsed(data)["traceparent"])).toEqual(
      spans.map((span) => span.traceparent),
    );
  });

  it("ends the spans of a list that is refused", async () => {
    const { block, spans } = publisher();
    const twice = [...entries, ...entries];
    await expect(block.bulkPublish({ ...call, entries: twice, trace: request })).rejects.toThrow("duplicated");
    expect(spans.map(({ failure, ended }) => [failure?.includes("duplicated"), ended])).toEqual(
      entries.map(() => [true, 1]),
    );
  });

  it("tells their spans when it has failed", async () => {
    const { block, broker, spans } = publisher();
    broker.publishError = () => new Error("full");
    await block.bulkPublish({ ...call, trace: request });
    expect(spans.map(({ failure, ended }) => [failure, ended])).toEqual([
      ["full", 1],
      ["full", 1],
    ]);
  });
});

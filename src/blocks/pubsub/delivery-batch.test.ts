import { expect, test } from "vitest";
import type { DeliveryOutcome, SubscriptionSpec, TopicEvent } from "../../app/types.ts";
import { createBlockFixture, FakeChannel, settle, subscriptionTo } from "./pubsub.fixture.ts";
import { NO_METRICS } from "./metrics.ts";
import { createSubscriptions } from "./subscriptions.ts";

const BULK = { enabled: true, maxMessagesCount: 3, maxAwaitDurationMs: 200 };

async function subscribed(rest: Partial<SubscriptionSpec> = {}) {
  const fixture = createBlockFixture();
  const channel = new FakeChannel();
  channel.subscriptions = [subscriptionTo("orders", { bulk: BULK, ...rest })];
  const counted: unknown[] = [];
  const metrics = { ...NO_METRICS, bulkIngress: (...of: unknown[]) => void counted.push(of.slice(0, 3)) };
  const subscriptions = createSubscriptions({ ...fixture, programmaticEnabled: true, metrics });
  await subscriptions.start(channel);
  fixture.logger.lines.length = 0;
  return { ...fixture, channel, subscriptions, counted };
}

const eventOf = (n: number, type = "order.v1"): string => JSON.stringify({ id: String(n), type, data: { n } });
const idsOf = (bulk: { readonly entries: readonly { readonly event: TopicEvent }[] } | undefined): unknown[] =>
  (bulk?.entries ?? []).map(({ event }) => event.fields["id"]);

test("tells the broker, and takes events to the app once there are enough", async () => {
  const { broker, channel, counted } = await subscribed();
  expect(broker.subscribes).toMatchObject([{ topic: "orders", bulk: true }]);
  const first = [broker.push("orders", eventOf(1)), broker.push("orders", eventOf(2))];
  await settle();
  expect(channel.bulks).toEqual([]);
  await Promise.all([...first, broker.push("orders", eventOf(3))]);
  expect(channel.bulks).toHaveLength(1);
  const [bulk] = channel.bulks;
  expect(bulk).toMatchObject({ pubsubName: "pubsub", topic: "orders", path: "/orders" });
  expect(idsOf(bulk)).toEqual(["1", "2", "3"]);
  expect(new Set(bulk?.entries.map(({ entryId }) => entryId)).size).toBe(3);
  expect(counted).toEqual([["pubsub", "orders", { success: 3, retry: 0, drop: 0 }]]);
});

test("takes fewer once the first has waited long enough, measured from its arrival", async () => {
  const { broker, channel, clock } = await subscribed();
  clock.advance(150);
  const push = broker.push("orders", eventOf(1));
  await settle();
  clock.advance(199);
  expect(channel.bulks).toEqual([]);
  clock.advance(1);
  await push;
  expect(channel.bulks.map(idsOf)).toEqual([["1"]]);
  expect(clock.pendingTimers).toBe(0);
});

test("waits a second for a hundred where the subscription does not say", async () => {
  const { broker, channel, clock } = await subscribed({
    bulk: { enabled: true, maxMessagesCount: 0, maxAwaitDurationMs: 0 },
  });
  const pushes = Array.from({ length: 101 }, (_, n) => broker.push("orders", eventOf(n)));
  await settle();
  expect(channel.bulks.map(({ entries }) => entries.length)).toEqual([100]);
  clock.advance(1000);
  await Promise.all(pushes);
  expect(channel.bulks.map(({ entries }) => entries.length)).toEqual([100, 1]);
});

test("collects nothing for a broker that waits for each acknowledgement, and says so", async () => {
  const fixture = createBlockFixture({ capabilities: ["BULK_SUBSCRIBE_IMMEDIATE"] });
  const channel = new FakeChannel();
  const subscriptions = createSubscriptions({ ...fixture, programmaticEnabled: true });
  const bulk = { enabled: true, maxMessagesCount: 3, maxAwaitDurationMs: 200 };
  await subscriptions.declare("orders", subscriptionTo("orders", { bulk }));
  await subscriptions.start(channel);
  await fixture.broker.push("orders", eventOf(1));
  await fixture.broker.push("orders", eventOf(2));
  expect(channel.bulks.map(idsOf)).toEqual([["1"], ["2"]]);
  expect(fixture.logger.lines).toContain(
    'warn bulk subscribe on topic "orders": maxAwaitDurationMs=200ms is ignored because the pubsub component declares immediate-flush; each message is delivered as soon as it arrives',
  );
});

test("makes one call for each route", async () => {
  const { broker, channel } = await subscribed({
    rules: [
      { match: `event.type == "paid"`, path: "/paid" },
      { match: "", path: "/other" },
    ],
  });
  await Promise.all([
    broker.push("orders", eventOf(1)),
    broker.push("orders", eventOf(2, "paid")),
    broker.push("orders", eventOf(3)),
  ]);
  expect(channel.bulks.map((bulk) => [bulk.path, ...idsOf(bulk)])).toEqual([
    ["/other", "1", "3"],
    ["/paid", "2"],
  ]);
});

test("gives each event its own end", async () => {
  const { broker, channel, counted } = await subscribed({ deadLetterTopic: "dead" });
  const outcomes: Readonly<Record<string, DeliveryOutcome>> = {
    1: { kind: "success" },
    2: { kind: "drop", reason: "DROP" },
    3: { kind: "retry", reason: "RETRY" },
  };
  channel.answer = ({ fields }) => outcomes[String(fields["id"])]!;
  await Promise.all([1, 2, 3].map((n) => broker.push("orders", eventOf(n))));
  expect(broker.published.map(({ topic, data }) => [topic, Buffer.from(data).toString()])).toEqual([
    ["dead", eventOf(2)],
    ["dead", eventOf(3)],
  ]);
  expect(counted).toEqual([["pubsub", "orders", { success: 1, retry: 1, drop: 1 }]]);
});

test("gives back what the app wants again where there is no dead letter topic", async () => {
  const { broker, channel } = await subscribed({ bulk: { ...BULK, maxMessagesCount: 2 } });
  channel.answer = ({ fields }) => (fields["id"] === "1" ? { kind: "retry", reason: "again" } : { kind: "success" });
  const [first, second] = await Promise.allSettled([
    broker.push("orders", eventOf(1)),
    broker.push("orders", eventOf(2)),
  ]);
  expect(first).toMatchObject({ status: "rejected", reason: { message: "again" } });
  expect(second).toMatchObject({ status: "fulfilled" });
});

test("calls CloudEvents so, and bare bytes as their publisher did", async () => {
  const { broker, channel } = await subscribed({ bulk: { ...BULK, maxMessagesCount: 1 } });
  await broker.push("orders", eventOf(1), { contentType: "application/json", metadata: { key: "v" } });
  expect(channel.bulks[0]?.entries[0]).toMatchObject({
    contentType: "application/cloudevents+json",
    metadata: { key: "v" },
  });
  const raw = await subscribed({ bulk: { ...BULK, maxMessagesCount: 1 }, metadata: { rawPayload: "true" } });
  await raw.broker.push("orders", "bytes");
  await raw.broker.push("orders", "text", { contentType: "text/plain" });
  expect(raw.channel.bulks.map(({ entries }) => entries[0]?.contentType)).toEqual([
    "application/octet-stream",
    "text/plain",
  ]);
});

test("closing takes what waits to the app at once", async () => {
  const { broker, channel, subscriptions, clock } = await subscribed();
  const push = broker.push("orders", eventOf(1));
  await settle();
  await Promise.all([push, subscriptions.close()]);
  expect(channel.bulks.map(idsOf)).toEqual([["1"]]);
  expect(clock.pendingTimers).toBe(0);
});

import { describe, expect, test } from "vitest";
import type { DeliveryOutcome } from "../../app/types.ts";
import { ConsumerGoneError } from "../../components/spi/pubsub.ts";
import { createBlockFixture, FakeBroker, FakeChannel, settle, subscriptionTo } from "./pubsub.fixture.ts";
import { DRAIN_MS_MAX } from "./running-subscription.ts";
import { createSubscriptions } from "./subscriptions.ts";

function setUp(options: Parameters<typeof createBlockFixture>[0] = {}, programmaticEnabled = true) {
  const fixture = createBlockFixture(options);
  const channel = new FakeChannel();
  const subscriptions = createSubscriptions({ ...fixture, programmaticEnabled });
  const topics = (broker = fixture.broker) => [...broker.handlers.keys()];
  return { ...fixture, channel, subscriptions, topics };
}

describe("which subscriptions there are", () => {
  test("the app's own replace resources of the same topic, the first of two resources wins", async () => {
    const { subscriptions, channel, topics } = setUp();
    await subscriptions.declare("one", subscriptionTo("a", { rules: [{ match: "", path: "/one" }] }));
    await subscriptions.declare("two", subscriptionTo("a", { rules: [{ match: "", path: "/two" }] }));
    await subscriptions.declare("three", subscriptionTo("b"));
    await subscriptions.declare("elsewhere", subscriptionTo("a", { pubsubName: "other" }));
    channel.subscriptions = [subscriptionTo("b", { rules: [{ match: "", path: "/app" }] }), subscriptionTo("c")];
    await subscriptions.start(channel);
    const list = subscriptions
      .list()
      .map(({ spec, type }) => `${spec.pubsubName} ${spec.topic} ${spec.rules[0]?.path} ${type}`);
    expect(list).toEqual([
      "pubsub a /one DECLARATIVE",
      "pubsub b /app PROGRAMMATIC",
      "other a /a DECLARATIVE",
      "pubsub c /c PROGRAMMATIC",
    ]);
    expect(topics()).toEqual(["a", "b", "c"]);
  });

  test("a resource that is declared again moves to the end", async () => {
    const { subscriptions } = setUp();
    await subscriptions.declare("one", subscriptionTo("a", { deadLetterTopic: "1" }));
    await subscriptions.declare("two", subscriptionTo("a", { deadLetterTopic: "2" }));
    await subscriptions.declare("one", subscriptionTo("a", { deadLetterTopic: "3" }));
    expect(subscriptions.list().map(({ spec }) => spec.deadLetterTopic)).toEqual(["2"]);
  });

  test("a rule that does not parse is refused", async () => {
    const { subscriptions } = setUp();
    await expect(
      subscriptions.declare("one", subscriptionTo("a", { rules: [{ match: "event.type ==", path: "/" }] })),
    ).rejects.toThrow("Unexpected token");
    expect(subscriptions.list()).toEqual([]);
  });
});

describe("asking the app", () => {
  test("happens once and is logged by broker", async () => {
    const { subscriptions, channel, logger } = setUp();
    channel.subscriptions = [subscriptionTo("a"), subscriptionTo("b"), subscriptionTo("c", { pubsubName: "other" })];
    await subscriptions.start(channel);
    await subscriptions.stop();
    await subscriptions.start(channel);
    expect(channel.asked).toBe(1);
    expect(logger.lines.filter((line) => line.startsWith("info"))).toEqual([
      "info app is subscribed to the following topics: [[a b]] through pubsub=pubsub",
      "info app is subscribed to the following topics: [[c]] through pubsub=other",
    ]);
  });

  test("happens again for an app that was forgotten", async () => {
    const { subscriptions, channel, topics } = setUp();
    channel.subscriptions = [subscriptionTo("a")];
    await subscriptions.start(channel);
    const forgotten = subscriptions.forget();
    channel.subscriptions = [subscriptionTo("b")];
    await Promise.all([forgotten, subscriptions.start(channel)]);
    expect(channel.asked).toBe(2);
    expect(topics()).toEqual(["b"]);
  });

  test("is left out without a broker, until one is loaded", async () => {
    const { subscriptions, channel, brokers, topics, broker } = setUp();
    brokers.remove("pubsub");
    channel.subscriptions = [subscriptionTo("a")];
    await subscriptions.start(channel);
    expect(channel.asked).toBe(0);
    brokers.add("pubsub", broker);
    await settle();
    expect(channel.asked).toBe(1);
    expect(topics()).toEqual(["a"]);
  });

  test("can be switched off", async () => {
    const { subscriptions, channel, logger, topics } = setUp({}, false);
    channel.subscriptions = [subscriptionTo("a")];
    await subscriptions.declare("one", subscriptionTo("b"));
    await subscriptions.start(channel);
    expect(channel.asked).toBe(0);
    expect(topics()).toEqual(["b"]);
    expect(logger.lines).toContain(
      "warn Skipping programmatic subscription loading (see 'disable-init-endpoints' flag/annotation)",
    );
  });

  test("that fails leaves the resources' subscriptions, and is tried again at the next start", async () => {
    const { subscriptions, channel, logger, topics } = setUp();
    await subscriptions.declare("one", subscriptionTo("b"));
    channel.subscriptions = new Error("refused");
    await subscriptions.start(channel);
    expect(topics()).toEqual(["b"]);
    expect(logger.lines).toContain("warn failed to subscribe to topics: refused ");
    channel.subscriptions = [subscriptionTo("a")];
    await subscriptions.stop();
    await subscriptions.start(channel);
    expect(topics()).toEqual(["b", "a"]);
  });

  test("that answers with a rule that does not parse takes none of them", async () => {
    const { subscriptions, channel, topics, logger } = setUp();
    channel.subscriptions = [subscriptionTo("a"), subscriptionTo("b", { rules: [{ match: "((", path: "/" }] })];
    await subscriptions.start(channel);
    expect(topics()).toEqual([]);
    expect(logger.lines.at(-1)).toContain("failed to subscribe to topics");
  });
});

describe("keeping subscriptions live", () => {
  test("nothing runs before start and after stop", async () => {
    const { subscriptions, channel, topics } = setUp();
    await subscriptions.declare("one", subscriptionTo("a"));
    expect(topics()).toEqual([]);
    await subscriptions.start(channel);
    expect(topics()).toEqual(["a"]);
    await subscriptions.stop();
    expect(topics()).toEqual([]);
    await subscriptions.start(channel);
    expect(topics()).toEqual(["a"]);
    await subscriptions.close();
    await subscriptions.start(channel);
    expect(topics()).toEqual([]);
  });

  test("resources come and go while running, untouched ones stay as they are", async () => {
    const { subscriptions, channel, topics, broker } = setUp();
    await subscriptions.declare("one", subscriptionTo("a"));
    await subscriptions.start(channel);
    const handler = broker.handlers.get("a");
    await subscriptions.declare("two", subscriptionTo("b"));
    expect(topics()).toEqual(["a", "b"]);
    expect(broker.handlers.get("a")).toBe(handler);
    await subscriptions.undeclare("one");
    expect(topics()).toEqual(["b"]);
    await subscriptions.declare("two", subscriptionTo("c", { pubsubName: "other" }));
    expect(topics()).toEqual([]);
  });

  test("a replaced broker is subscribed at again", async () => {
    const { subscriptions, channel, brokers, topics, broker } = setUp();
    await subscriptions.declare("one", subscriptionTo("a"));
    await subscriptions.start(channel);
    const second = new FakeBroker();
    brokers.add("pubsub", second);
    await settle();
    expect(topics()).toEqual([]);
    expect(topics(second)).toEqual(["a"]);
    expect(broker.subscribes).toHaveLength(1);
  });

  test("topics of a namespaced broker are prefixed", async () => {
    const { subscriptions, channel, topics } = setUp({ namespaceScoped: true });
    await subscriptions.declare("one", subscriptionTo("a"));
    await subscriptions.start(channel);
    expect(topics()).toEqual(["proda"]);
  });

  test("a topic outside the app's scope is not subscribed to, nor tried again", async () => {
    const { subscriptions, channel, topics, logger, clock } = setUp({ metadata: { subscriptionScopes: "shop=b" } });
    await subscriptions.declare("one", subscriptionTo("a"));
    await subscriptions.declare("two", subscriptionTo("b"));
    await subscriptions.start(channel);
    expect(topics()).toEqual(["b"]);
    expect(subscriptions.list()).toHaveLength(2);
    expect(logger.lines).toContain(
      "error Failed to start subscription for pubsub pubsub, topic a: subscription to topic 'a' on pubsub 'pubsub' is not allowed",
    );
    expect(clock.pendingTimers).toBe(0);
  });

  test("a broker that refuses is tried again, ever more slowly", async () => {
    const { subscriptions, channel, broker, topics, logger, clock } = setUp();
    await subscriptions.declare("one", subscriptionTo("a"));
    broker.subscribeError = new Error("no such exchange");
    await subscriptions.start(channel);
    clock.advance(499);
    await settle();
    expect(logger.lines).toEqual([
      "error Failed to start subscription for pubsub pubsub, topic a: failed to subscribe to topic a: no such exchange",
    ]);
    clock.advance(1);
    await settle();
    expect(logger.lines.at(-1)).toBe(
      "error Retry failed for subscription for pubsub pubsub, topic a: failed to subscribe to topic a: no such exchange. Will retry.",
    );
    broker.subscribeError = undefined;
    clock.advance(749);
    await settle();
    expect(topics()).toEqual([]);
    clock.advance(1);
    await settle();
    expect(topics()).toEqual(["a"]);
    expect(logger.lines.at(-1)).toBe("info Successfully started subscription after retry for pubsub pubsub, topic a");
  });

  test("nothing is tried again after stop", async () => {
    const { subscriptions, channel, broker, clock } = setUp();
    await subscriptions.declare("one", subscriptionTo("a"));
    broker.subscribeError = new Error("refused");
    await subscriptions.start(channel);
    await subscriptions.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("stopping", () => {
  async function withDeliveryUnderWay() {
    const set = setUp();
    await set.subscriptions.declare("one", subscriptionTo("a", { deadLetterTopic: "dead" }));
    await set.subscriptions.start(set.channel);
    const answer = Promise.withResolvers<DeliveryOutcome>();
    const signals: AbortSignal[] = [];
    set.channel.answer = (_event, signal) => {
      signals.push(signal);
      return answer.promise;
    };
    const delivery = set.broker.push("a", '{"id":"1"}');
    await settle();
    set.broker.closing = delivery.catch(() => undefined);
    return { ...set, answer, delivery, signal: () => signals[0] ?? expect.fail("not delivered") };
  }

  test("waits for deliveries under way", async () => {
    const { subscriptions, answer, delivery } = await withDeliveryUnderWay();
    let stopped = false;
    const stop = subscriptions.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(stopped).toBe(false);
    answer.resolve({ kind: "success" });
    await delivery;
    await stop;
  });

  test("a message that the app does not take meanwhile goes back and is not dead lettered", async () => {
    const { subscriptions, answer, delivery, broker } = await withDeliveryUnderWay();
    const stop = subscriptions.stop();
    await settle();
    answer.resolve({ kind: "retry", reason: "shutting down" });
    await expect(delivery).rejects.toBeInstanceOf(ConsumerGoneError);
    await stop;
    expect(broker.published).toEqual([]);
  });

  test("cuts deliveries off after the limit", async () => {
    const { subscriptions, logger, clock, signal } = await withDeliveryUnderWay();
    const stop = subscriptions.close();
    await settle();
    clock.advance(DRAIN_MS_MAX - 1);
    expect(signal().aborted).toBe(false);
    clock.advance(1);
    await stop;
    expect(signal().aborted).toBe(true);
    expect(logger.lines.at(-1)).toBe("warn drain exceeded 30s; sealing with inflight=1 on topic a");
  });
});

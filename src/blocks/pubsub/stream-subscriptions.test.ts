import { describe, expect, test } from "vitest";
import { ConsumerGoneError } from "../../components/spi/pubsub.ts";
import { createBlockFixture, FakeBroker, FakeChannel, settle, subscriptionTo } from "./pubsub.fixture.ts";
import { type StreamRequest, STREAMS_MAX } from "./stream-subscriptions.ts";
import { createSubscriptions } from "./subscriptions.ts";

const SUCCESS = 0;
const RETRY = 1;
const DROP = 2;

/** The door's end: keeps what it is sent. */
class Sink {
  readonly ids: unknown[] = [];
  readonly ends: string[] = [];
  send = (event: { fields: Readonly<Record<string, unknown>> }): void => void this.ids.push(event.fields["id"]);
  end = (error: Error): void => void this.ends.push(error.message);
}

function setUp(options: Parameters<typeof createBlockFixture>[0] = {}) {
  const fixture = createBlockFixture(options);
  const subscriptions = createSubscriptions({ ...fixture, programmaticEnabled: true });
  const open = async (rest: Partial<StreamRequest> = {}) => {
    const sink = new Sink();
    const request = { pubsubName: "pubsub", topic: "orders", metadata: {}, deadLetterTopic: "", ...rest };
    return { sink, stream: await subscriptions.streams.open(request, sink) };
  };
  return { ...fixture, subscriptions, open };
}

describe("opening", () => {
  test("subscribes at the broker, whatever the app's health, and shows in the list", async () => {
    const { open, broker, subscriptions, logger } = setUp();
    await open({ metadata: { rawPayload: "false" }, deadLetterTopic: "dead" });
    expect(broker.subscribes).toEqual([{ topic: "orders", metadata: { rawPayload: "false" }, bulk: false }]);
    expect(subscriptions.list()).toMatchObject([
      { type: "STREAMING", spec: { topic: "orders", deadLetterTopic: "dead", rules: [{ match: "", path: "/" }] } },
    ]);
    expect(subscriptions.conditions().subscriptions).toEqual([
      { pubsubName: "pubsub", topic: "orders", source: { kind: "streaming" }, state: "active" },
    ]);
    expect(logger.lines).toContain("info Subscribing to pubsub 'pubsub' topic 'orders' ConnectionID 1");
  });

  test("stands beside the app's own subscription of the topic", async () => {
    const { open, subscriptions } = setUp();
    await subscriptions.declare("one", subscriptionTo("orders"));
    await subscriptions.start(new FakeChannel());
    await open();
    await open();
    expect(subscriptions.list().map(({ type }) => type)).toEqual(["DECLARATIVE", "STREAMING", "STREAMING"]);
    await subscriptions.stop();
    expect(subscriptions.conditions().subscriptions.map(({ state }) => state)).toEqual(["waiting", "active", "active"]);
  });

  test.each([
    [{ pubsubName: "" }, "pubsubName is required"],
    [{ topic: "" }, "topic is required"],
    [{ pubsubName: "other" }, "pubsub other is not found"],
    [
      { topic: "secret" },
      "failed to create subscription for pubsub: subscription to topic 'secret' on pubsub 'pubsub' is not allowed",
    ],
  ])("%o is refused: %s", async (request, message) => {
    const { open, subscriptions } = setUp({ metadata: { protectedTopics: "secret" } });
    await expect(open(request)).rejects.toThrow(message);
    expect(subscriptions.list()).toEqual([]);
  });

  test("is refused with the broker's reason", async () => {
    const { open, broker } = setUp();
    broker.subscribeError = new Error("no");
    await expect(open()).rejects.toThrow(
      "failed to create subscription for pubsub: failed to subscribe to topic orders: no",
    );
  });

  test("is refused beyond the limit, until a stream ends", async () => {
    const { open } = setUp();
    const { stream } = await open();
    for (let count = 1; count < STREAMS_MAX; count += 1) {
      await open();
    }
    await expect(open()).rejects.toThrow("the sidecar has 10000 streams open, which is its limit");
    await stream.close();
    await open();
  });

  test("is refused once the sidecar stops", async () => {
    const { open, subscriptions } = setUp();
    expect(subscriptions.streams.closing.aborted).toBe(false);
    await subscriptions.close();
    expect(subscriptions.streams.closing.aborted).toBe(true);
    await expect(open()).rejects.toThrow("failed deserializing metadata. Error: subscriber is closed");
  });
});

describe("answers", () => {
  test("settle messages at the broker", async () => {
    const { open, broker } = setUp();
    const { sink, stream } = await open();
    const [one, two] = [broker.push("orders", '{"id":"1"}'), broker.push("orders", '{"id":"2"}')];
    await settle();
    expect(sink.ids).toEqual(["1", "2"]);
    stream.answer("2", RETRY);
    stream.answer("1", SUCCESS);
    await one;
    await expect(two).rejects.toThrow("RETRY status returned from app while processing pub/sub event 2");
  });

  test("that drop or refuse an event send it to the dead letter topic", async () => {
    const { open, broker } = setUp();
    const { stream } = await open({ deadLetterTopic: "dead" });
    const pushed = [broker.push("orders", '{"id":"1"}'), broker.push("orders", '{"id":"2"}')];
    await settle();
    stream.answer("1", DROP);
    stream.answer("2", RETRY);
    await Promise.all(pushed);
    expect(broker.published.map(({ topic, data }) => `${topic} ${Buffer.from(data).toString()}`)).toEqual([
      'dead {"id":"1"}',
      'dead {"id":"2"}',
    ]);
  });

  test("that nobody waits for are logged", async () => {
    const { open, logger } = setUp();
    await open();
    const { stream } = await open();
    stream.answer("x", SUCCESS);
    expect(logger.lines.at(-1)).toBe("error no client stream expecting publish response for id x ConnectionID2");
  });
});

describe("the end", () => {
  test("of an app's stream leaves what it has not answered to the broker, dead letter topic or not", async () => {
    const { open, broker, subscriptions } = setUp();
    const { sink, stream } = await open({ deadLetterTopic: "dead" });
    const one = broker.push("orders", '{"id":"1"}');
    await settle();
    await Promise.all([expect(one).rejects.toBeInstanceOf(ConsumerGoneError), stream.close()]);
    expect(broker.published).toEqual([]);
    expect(broker.handlers.size).toBe(0);
    expect(subscriptions.list()).toEqual([]);
    expect(sink.ends).toEqual([]);
  });

  test("of the sidecar waits for answers, then ends the streams", async () => {
    const { open, broker, subscriptions } = setUp();
    const { sink, stream } = await open();
    const one = broker.push("orders", '{"id":"1"}');
    broker.closing = one;
    await settle();
    const closed = subscriptions.close();
    await settle();
    expect(sink.ends).toEqual([]);
    stream.answer("1", SUCCESS);
    await Promise.all([one, closed]);
    expect(sink.ends).toEqual(["stream closed"]);
    await stream.close();
  });

  test("of the sidecar does not wait for an app that leaves meanwhile", async () => {
    const { open, broker, subscriptions } = setUp();
    const { stream } = await open();
    const one = broker.push("orders", '{"id":"1"}');
    broker.closing = one.catch(() => undefined);
    await settle();
    const closed = subscriptions.close();
    await settle();
    await Promise.all([expect(one).rejects.toBeInstanceOf(ConsumerGoneError), stream.close(), closed]);
  });

  test("of a broker that is removed ends its streams and no others", async () => {
    const { open, brokers, subscriptions } = setUp();
    brokers.add("second", new FakeBroker());
    const one = await open();
    const other = await open({ pubsubName: "second" });
    brokers.remove("pubsub");
    await settle();
    expect(one.sink.ends).toEqual(["stream closed"]);
    expect(other.sink.ends).toEqual([]);
    expect(subscriptions.list().map(({ spec }) => spec.pubsubName)).toEqual(["second"]);
  });

  test("is none for streams of a broker that is replaced: they go on at the new one", async () => {
    const { open, broker, brokers, subscriptions } = setUp();
    const { sink } = await open();
    const next = new FakeBroker();
    brokers.add("pubsub", next);
    await settle();
    void next.push("orders", '{"id":"1"}').catch(() => undefined);
    await settle();
    expect(sink.ids).toEqual(["1"]);
    expect(sink.ends).toEqual([]);
    expect(broker.handlers.size).toBe(0);
    expect(subscriptions.list()).toHaveLength(1);
  });

  test("comes to streams that the broker in the place of theirs does not take", async () => {
    const { open, brokers, subscriptions } = setUp();
    const { sink } = await open();
    const next = new FakeBroker();
    next.subscribeError = new Error("no");
    brokers.add("pubsub", next);
    await settle();
    expect(sink.ends).toEqual(["stream closed"]);
    expect(subscriptions.list()).toEqual([]);
  });

  test("unhealthy or forgotten apps keep their streams", async () => {
    const { open, broker, subscriptions } = setUp();
    const { sink } = await open();
    await subscriptions.stop();
    await subscriptions.forget();
    void broker.push("orders", '{"id":"1"}').catch(() => undefined);
    await settle();
    expect(sink.ids).toEqual(["1"]);
    expect(sink.ends).toEqual([]);
  });
});

import { describe, expect, test } from "vitest";
import type { DeliveryOutcome } from "../../app/types.ts";
import { ConsumerGoneError } from "../../components/spi/pubsub.ts";
import { createBlockFixture, FakeChannel, settle, subscriptionTo } from "./pubsub.fixture.ts";
import { DRAIN_MS_MAX, PAUSE_MS_MAX } from "./running-subscription.ts";
import { createSubscriptions } from "./subscriptions.ts";

async function live(pause: (() => Promise<boolean>) | undefined) {
  const fixture = createBlockFixture();
  let paused = 0;
  if (pause !== undefined) {
    Object.assign(fixture.broker, {
      pause: () => {
        paused += 1;
        return pause();
      },
    });
  }
  const channel = new FakeChannel();
  const subscriptions = createSubscriptions({ ...fixture, programmaticEnabled: true });
  await subscriptions.declare("one", subscriptionTo("a", { deadLetterTopic: "dead" }));
  await subscriptions.start(channel);
  /** Lets the looks for quiet happen. */
  const look = async (times: number) => {
    for (let count = 0; count < times; count += 1) {
      await settle();
      fixture.clock.advance(20);
    }
    await settle();
  };
  return { ...fixture, channel, subscriptions, look, pausedTimes: () => paused };
}

describe("a broker that can pause", () => {
  test("is paused before the sidecar's end, and what it has handed out is still taken and settled", async () => {
    const { subscriptions, broker, channel, logger, look, pausedTimes } = await live(async () => true);
    const answer = Promise.withResolvers<DeliveryOutcome>();
    channel.answer = () => answer.promise;
    const first = broker.push("a", '{"id":"1"}');
    const closed = subscriptions.close();
    await look(10);
    expect(broker.handlers.has("a")).toBe(true);
    const second = broker.push("a", '{"id":"2"}');
    answer.resolve({ kind: "success" });
    await Promise.all([first, second]);
    expect(channel.events).toHaveLength(2);
    await look(6);
    await closed;
    expect(broker.handlers.has("a")).toBe(false);
    expect(pausedTimes()).toBe(1);
    expect(logger.lines).toContain("info pausing subscription on topic a during graceful shutdown");
  });

  test("keeps what the app fails to take meanwhile", async () => {
    const { subscriptions, broker, channel, look } = await live(async () => true);
    channel.answer = () => ({ kind: "retry", reason: "no" });
    const closed = subscriptions.close();
    await settle();
    await expect(broker.push("a", '{"id":"1"}')).rejects.toBeInstanceOf(ConsumerGoneError);
    await look(6);
    await closed;
    expect(broker.published).toEqual([]);
  });

  test("is not paused because the app is unhealthy", async () => {
    const { subscriptions, pausedTimes } = await live(async () => true);
    await subscriptions.stop();
    expect(pausedTimes()).toBe(0);
  });

  test("is closed at the limit, quiet or not", async () => {
    const { subscriptions, broker, channel, clock, logger, look } = await live(async () => true);
    channel.answer = () => new Promise(() => undefined);
    void broker.push("a", '{"id":"1"}').catch(() => undefined);
    broker.closing = new Promise(() => undefined);
    const closed = subscriptions.close();
    await look(2);
    clock.advance(DRAIN_MS_MAX);
    await look(2);
    await closed;
    expect(logger.lines.at(-1)).toBe("warn drain exceeded 30s; sealing with inflight=1 on topic a");
  });
});

test.each<[string, () => Promise<boolean>, string | undefined]>([
  ["says that it cannot", async () => false, undefined],
  ["fails to", () => Promise.reject(new Error("no")), "no"],
  ["does not answer", () => new Promise(() => undefined), "context deadline exceeded"],
])("a broker that %s is closed at once", async (_what, pause, reason) => {
  const { subscriptions, broker, clock, logger } = await live(pause);
  const closed = subscriptions.close();
  await settle();
  clock.advance(PAUSE_MS_MAX);
  await closed;
  expect(broker.handlers.has("a")).toBe(false);
  expect(logger.lines.filter((line) => line.startsWith("warn"))).toEqual(
    reason === undefined ? [] : [`warn failed to pause subscription on topic a during graceful shutdown: ${reason}`],
  );
});

test("what is handed over after the limit stays at the broker", async () => {
  const { subscriptions, broker, channel, clock } = await live(undefined);
  const handler = broker.handlers.get("a");
  channel.answer = () => new Promise(() => undefined);
  void broker.push("a", '{"id":"1"}').catch(() => undefined);
  broker.closing = new Promise(() => undefined);
  const closed = subscriptions.close();
  await settle();
  clock.advance(DRAIN_MS_MAX);
  await closed;
  const late = handler?.(
    { topic: "a", data: Buffer.from("{}"), contentType: undefined, metadata: {} },
    new AbortController().signal,
  );
  await expect(late).rejects.toBeInstanceOf(ConsumerGoneError);
  expect(broker.published).toEqual([]);
});

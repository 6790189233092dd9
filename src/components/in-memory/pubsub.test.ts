import { describe, expect, test } from "vitest";
import type { ComponentMetadata } from "../spi/component.ts";
import { ConsumerGoneError, type MessageHandler, type PubSub } from "../spi/pubsub.ts";
import {
  HANDLERS_MAX,
  PUBLISH_WAIT_MS_MAX,
  QUEUED_BYTES_MAX,
  QUEUED_MESSAGES_MAX,
  WAITING_PUBLISHES_MAX,
} from "./message-queue.ts";
import { createDeps, createScope } from "./pubsub.fixture.ts";
import { createInMemoryPubSub } from "./pubsub.ts";

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function publish(broker: PubSub, data: string | number | Uint8Array, topic = "t"): Promise<void> {
  const bytes = data instanceof Uint8Array ? data : Buffer.from(String(data));
  return broker.publish({ topic, data: bytes, contentType: "ignored", metadata: {} });
}

async function created(metadata: ComponentMetadata = {}, rest: Parameters<typeof createDeps>[0] = {}) {
  const set = createDeps(rest);
  const broker = createInMemoryPubSub(set.deps);
  await broker.init(metadata, new AbortController().signal);
  return { ...set, broker };
}

/** A handler whose messages a test finishes one by one. */
function gate() {
  const started: string[] = [];
  const open: PromiseWithResolvers<void>[] = [];
  const handler: MessageHandler = (message) => {
    started.push(Buffer.from(message.data).toString());
    const one = Promise.withResolvers<void>();
    open.push(one);
    return one.promise;
  };
  return { started, open, handler };
}

describe("delivery", () => {
  test("a failed delivery is logged and not tried again", async () => {
    const { broker, errors } = await created();
    let calls = 0;
    await broker.subscribe({ topic: "t", metadata: {} }, () => {
      calls += 1;
      return Promise.reject(new Error("no"));
    });
    await publish(broker, 1);
    await settle();
    expect(calls).toBe(1);
    expect(errors).toEqual(["no"]);
  });

  test("a message whose consumer is gone is not called a failure", async () => {
    const { broker, errors } = await created();
    await broker.subscribe({ topic: "t", metadata: {} }, () => Promise.reject(new ConsumerGoneError()));
    await publish(broker, 1);
    await settle();
    expect(errors).toEqual([]);
  });

  test("handlers start in the order of publishing, a bounded number side by side", async () => {
    const { broker } = await created();
    const { started, open, handler } = gate();
    await broker.subscribe({ topic: "t", metadata: {} }, handler);
    const numbers = Array.from({ length: HANDLERS_MAX + 2 }, (_, index) => String(index));
    await Promise.all(numbers.map((number) => publish(broker, number)));
    expect(started).toEqual(numbers.slice(0, HANDLERS_MAX));
    open[5]?.resolve();
    await settle();
    open[0]?.resolve();
    await settle();
    expect(started).toEqual(numbers);
  });

  test.each([
    ["the component", { concurrencyMode: "single" }, {}],
    ["one subscription", {}, { concurrencyMode: "single" }],
    ["a subscription against its component", { ConcurrencyMode: "parallel" }, { concurrencyMode: "single" }],
  ])("concurrencyMode single of %s hands over one at a time", async (_of, component, subscription) => {
    const { broker } = await created(component);
    const { started, open, handler } = gate();
    await broker.subscribe({ topic: "t", metadata: subscription }, handler);
    await publish(broker, 1);
    await publish(broker, 2);
    expect(started).toEqual(["1"]);
    open[0]?.resolve();
    await settle();
    expect(started).toEqual(["1", "2"]);
  });

  test.each([
    ["one at a time", {}, ["1"]],
    ["side by side where it asks for that", { concurrencyMode: "parallel" }, ["1", "2"]],
  ])("handlers of a bulk subscription run %s", async (_how, metadata, expected) => {
    const { broker } = await created();
    const { started, handler } = gate();
    await broker.subscribe({ topic: "t", metadata, bulk: true }, handler);
    await publish(broker, 1);
    await publish(broker, 2);
    expect(started).toEqual(expected);
  });

  test("an unknown concurrencyMode is refused", async () => {
    await expect(created({ concurrencyMode: "several" })).rejects.toMatchObject({ kind: "invalidMetadata" });
  });

  test("a queue keeps its order over many turns", async () => {
    const { broker } = await created({ concurrencyMode: "single" });
    const got: number[] = [];
    await broker.subscribe({ topic: "t", metadata: {} }, async (message) => {
      got.push(Number(Buffer.from(message.data).toString()));
      if (got.length % 500 === 0) {
        await settle();
      }
    });
    const numbers = Array.from({ length: 5_000 }, (_, index) => index);
    await Promise.all(numbers.map((number) => publish(broker, number)));
    while (got.length < numbers.length) {
      await settle();
    }
    expect(got).toEqual(numbers);
  });

  test("closing hands out what is queued first", async () => {
    const { broker } = await created({ concurrencyMode: "single" });
    const { started, open, handler } = gate();
    await broker.subscribe({ topic: "t", metadata: {} }, handler);
    await publish(broker, 1);
    await publish(broker, 2);
    const close = broker.close();
    open[0]?.resolve();
    await settle();
    open[1]?.resolve();
    await close;
    expect(started).toEqual(["1", "2"]);
  });
});

describe("limits", () => {
  async function full() {
    const set = await created({ concurrencyMode: "single" });
    const subscriber = gate();
    await set.broker.subscribe({ topic: "t", metadata: {} }, subscriber.handler);
    await Promise.all(Array.from({ length: QUEUED_MESSAGES_MAX + 1 }, (_, index) => publish(set.broker, index)));
    return { ...set, ...subscriber };
  }

  test("a full queue holds publishers back until there is room", async () => {
    const { broker, open, clock } = await full();
    let taken = false;
    const late = publish(broker, "late").then(() => {
      taken = true;
    });
    await settle();
    expect(taken).toBe(false);
    open[0]?.resolve();
    await late;
    expect(clock.pendingTimers).toBe(0);
  });

  test("no room in time is an error that names the limit", async () => {
    const { broker, clock } = await full();
    const late = expect(publish(broker, "late")).rejects.toThrow("10000 messages or 67108864 bytes waiting");
    clock.advance(PUBLISH_WAIT_MS_MAX);
    await late;
  });

  test("too many publishers that wait are refused at once", async () => {
    const { broker, clock } = await full();
    const waiting = Array.from({ length: WAITING_PUBLISHES_MAX }, (_, index) =>
      publish(broker, index).catch(() => "late"),
    );
    await expect(publish(broker, "one more")).rejects.toMatchObject({ kind: "unavailable" });
    clock.advance(PUBLISH_WAIT_MS_MAX);
    await Promise.all(waiting);
  });

  test("bytes count too, and one message is always taken", async () => {
    const { broker, clock } = await created({ concurrencyMode: "single" });
    const { open, handler } = gate();
    await broker.subscribe({ topic: "t", metadata: {} }, handler);
    const large = new Uint8Array(QUEUED_BYTES_MAX + 1);
    await publish(broker, large);
    await publish(broker, large);
    const small = publish(broker, "small");
    await settle();
    expect(clock.pendingTimers).toBe(1);
    open[0]?.resolve();
    await small;
  });
});

describe("several sidecars on one broker", () => {
  async function sidecars(...apps: readonly (readonly [appId: string, metadata?: ComponentMetadata])[]) {
    const shared = createScope();
    return Promise.all(
      apps.map(async ([appId, metadata]) => {
        const { broker } = await created(metadata ?? {}, { shared, appId });
        const got: string[] = [];
        const subscription = await broker.subscribe({ topic: "t", metadata: {} }, async (message) => {
          got.push(Buffer.from(message.data).toString());
          await settle();
        });
        return { broker, got, subscription };
      }),
    );
  }

  test("every app gets every message, replicas of one app share them", async () => {
    const [a, b, b2] = await sidecars(["a"], ["b"], ["b"]);
    const numbers = ["1", "2", "3", "4"];
    for (const number of numbers) {
      await publish(a?.broker ?? expect.fail(), number);
    }
    await settle();
    expect(a?.got).toEqual(numbers);
    expect([...(b?.got ?? []), ...(b2?.got ?? [])].toSorted()).toEqual(numbers);
    expect(b?.got).toHaveLength(2);
  });

  test("consumerID decides who shares", async () => {
    const [a, b] = await sidecars(["a", { consumerID: "group" }], ["b", { consumerid: "group" }]);
    await publish(a?.broker ?? expect.fail(), "1");
    await settle();
    expect([...(a?.got ?? []), ...(b?.got ?? [])]).toEqual(["1"]);
  });

  test("a replica that is gone leaves the messages to the others", async () => {
    const [a, a2] = await sidecars(["a"], ["a"]);
    await a2?.subscription.close();
    await publish(a?.broker ?? expect.fail(), "1");
    await publish(a?.broker ?? expect.fail(), "2");
    await settle();
    expect(a?.got).toEqual(["1", "2"]);
    await a?.broker.close();
    await publish(a2?.broker ?? expect.fail(), "nobody listens");
  });

  test("each subscription of one sidecar gets its copy; a message comes under the subscribed name", async () => {
    const { broker } = await created();
    const got: string[] = [];
    for (const topic of ["topic", "topic", "top*", "topic*"]) {
      await broker.subscribe({ topic, metadata: {} }, async (message) => void got.push(message.topic));
    }
    await publish(broker, "1", "topic");
    expect(got.toSorted()).toEqual(["top*", "topic", "topic"]);
  });

  test("brokers of different names or scopes know nothing of each other", async () => {
    const shared = createScope();
    const one = await created({}, { shared, name: "one" });
    const two = await created({}, { shared, name: "two" });
    const other = await created({}, { name: "one" });
    const got: string[] = [];
    for (const { broker } of [two, other]) {
      await broker.subscribe({ topic: "t", metadata: {} }, async () => void got.push("x"));
    }
    await publish(one.broker, "1");
    expect(got).toEqual([]);
  });
});

import { DaprPubSubStatusEnum, type DaprClient, type DaprServer } from "@dapr/dapr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redisMissing, type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { component } from "../harness/resources.ts";
import { until } from "../harness/until.ts";
import { IS_OURS } from "./candidate.ts";
import { failureOf, PROTOCOLS } from "./dapr-js.ts";
import { type PairSystem, startPairSystem } from "./dapr-js-system.ts";

const BROKERS = [
  "pubsub.in-memory",
  ...(IS_OURS ? ["pubsub.sqlite"] : []),
  ...(redisMissing === undefined ? ["pubsub.redis"] : []),
];

/** The components are called as their types are. */
function brokers(folder: string, redis: RedisServer | undefined): string {
  const metadata: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "pubsub.sqlite": { connectionString: `${folder}/broker.db` },
    "pubsub.redis": { redisHost: redis?.address ?? "", processingTimeout: "100ms", redeliverInterval: "50ms" },
  };
  return BROKERS.map((broker) => component(broker, broker, metadata[broker])).join("---\n");
}

/** What the handlers were given, by the name of the handler. */
class Inbox {
  readonly #events = new Map<string, unknown[]>();

  at(handler: string): readonly unknown[] {
    return this.#events.get(handler) ?? [];
  }

  put(handler: string, event: unknown): number {
    const events = [...this.at(handler), event];
    this.#events.set(handler, events);
    return events.length;
  }

  /** Waits for so many, and forgets them. */
  async take(handler: string, count: number): Promise<readonly unknown[]> {
    await until(`${count} events for ${handler}`, () => this.at(handler).length >= count);
    const events = this.at(handler);
    this.#events.delete(handler);
    return events;
  }
}

async function subscribe({ pubsub }: DaprServer, broker: string, inbox: Inbox): Promise<void> {
  const { SUCCESS, RETRY, DROP } = DaprPubSubStatusEnum;
  const keep = (handler: string, answer?: DaprPubSubStatusEnum) => async (data: unknown) => {
    inbox.put(handler, data);
    return answer;
  };
  await pubsub.subscribe(broker, "placed", keep("placed"));
  await pubsub.subscribe(broker, "custom", keep("custom"), "custom-route");
  await pubsub.subscribe(broker, "raw", keep("raw"), "", { rawPayload: true });
  await pubsub.subscribe(broker, "headed", async (_: unknown, headers: object) => void inbox.put("headed", headers));
  await pubsub.subscribe(broker, "later", async (data: unknown) => (inbox.put("later", data) === 1 ? RETRY : SUCCESS));
  for (const [topic, status] of [
    ["retried", RETRY],
    ["dropped", DROP],
  ] as const) {
    await pubsub.subscribeWithOptions(broker, topic, {
      callback: keep(topic, status),
      deadLetterTopic: `${topic}-dead`,
    });
    await pubsub.subscribe(broker, `${topic}-dead`, keep(`${topic}-dead`));
  }
  await pubsub.subscribeWithOptions(broker, "routed", {
    route: {
      default: "other",
      rules: [
        { match: `event.type == "order.placed"`, path: "placed" },
        { match: `event.data.urgent == true`, path: "urgent" },
      ],
    },
  });
  for (const route of ["other", "placed", "urgent"]) {
    pubsub.subscribeToRoute(broker, "routed", route, keep(`routed:${route}`));
  }
  await pubsub.subscribeBulk(broker, "bulk", keep("bulk"), { maxMessagesCount: 10, maxAwaitDurationMs: 50 });
}

describe.each(PROTOCOLS)("publish and subscribe through the official SDK over %s", (protocol) => {
  const inboxes = new Map(BROKERS.map((broker) => [broker, new Inbox()]));
  let redis: RedisServer | undefined;
  let system: PairSystem;
  beforeAll(async () => {
    redis = redisMissing === undefined ? await startRedisServer() : undefined;
    system = await startPairSystem({
      protocol,
      resources: (folder) => brokers(folder, redis),
      async prepare({ stock }) {
        for (const [broker, inbox] of inboxes) {
          await subscribe(stock, broker, inbox);
        }
      },
    });
  });
  afterAll(async () => {
    await system.stop();
    await redis?.[Symbol.asyncDispose]();
  });

  describe.each(BROKERS)("%s", (broker) => {
    const inbox = inboxes.get(broker)!;
    let pubsub: DaprClient["pubsub"];
    beforeAll(() => {
      // What is in one sidecar's memory no other sidecar sees.
      pubsub = (broker === "pubsub.in-memory" ? system.stockClient : system.client).pubsub;
    });

    it.each<[string, unknown, unknown]>([
      ["an object", { id: 1, tags: ["a"] }, { id: 1, tags: ["a"] }],
      ["an array", [1, 2], [1, 2]],
      ["a text", "Füße", "Füße"],
    ])("delivers %s", async (_, sent, received) => {
      expect(await pubsub.publish(broker, "placed", sent as object)).toEqual({});
      expect(await inbox.take("placed", 1)).toEqual([received]);
    });

    it("delivers bytes", async () => {
      const options = { contentType: "application/octet-stream" };
      expect(await pubsub.publish(broker, "placed", Buffer.from("bytes"), options)).toEqual({});
      expect(await inbox.take("placed", 1)).toEqual(["bytes"]);
    });

    it("delivers a CloudEvent's data", async () => {
      await pubsub.publish(broker, "placed", cloudEvent("order.placed", { id: 7 }), CLOUD_EVENT);
      expect(await inbox.take("placed", 1)).toEqual([{ id: 7 }]);
    });

    it("delivers to a route of the app's own", async () => {
      await pubsub.publish(broker, "custom", { id: 2 });
      expect(await inbox.take("custom", 1)).toEqual([{ id: 2 }]);
    });

    it("tells the handler of the headers", async () => {
      await pubsub.publish(broker, "headed", { id: 3 });
      const [headers] = (await inbox.take("headed", 1)) as [Record<string, string>];
      expect(headers["content-type"]).toBe(protocol === "http" ? "application/cloudevents+json" : "application/grpc");
    });

    it("delivers what is no CloudEvent to a subscription that asks for it", async () => {
      await pubsub.publish(broker, "raw", { id: 4 }, { metadata: { rawPayload: "true" } });
      expect(await inbox.take("raw", 1)).toEqual([{ id: 4 }]);
    });

    // In memory, what the app does not take is gone.
    it.skipIf(broker === "pubsub.in-memory")("delivers again what the app wants again", async () => {
      await pubsub.publish(broker, "later", { id: 5 });
      expect(await inbox.take("later", 2)).toEqual([{ id: 5 }, { id: 5 }]);
    });

    it.each(["retried", "dropped"])("sends what the app has %s to the dead letter topic", async (topic) => {
      await pubsub.publish(broker, topic, { topic });
      expect(await inbox.take(`${topic}-dead`, 1)).toEqual([{ topic }]);
      expect(await inbox.take(topic, 1)).toEqual([{ topic }]);
    });

    it("chooses the route by the rules", async () => {
      await pubsub.publish(broker, "routed", cloudEvent("order.placed", { id: 1 }), CLOUD_EVENT);
      expect(await inbox.take("routed:placed", 1)).toEqual([{ id: 1 }]);
      await pubsub.publish(broker, "routed", { urgent: true });
      expect(await inbox.take("routed:urgent", 1)).toEqual([{ urgent: true }]);
      await pubsub.publish(broker, "routed", { urgent: false });
      expect(await inbox.take("routed:other", 1)).toEqual([{ urgent: false }]);
    });

    it("publishes many at once", async () => {
      const answer = await pubsub.publishBulk(broker, "placed", [
        { id: 1 },
        "two",
        { entryID: "third", event: { id: 3 }, contentType: "application/json" },
      ]);
      expect(answer).toEqual({ failedMessages: [] });
      const received = await inbox.take("placed", 3);
      expect(received).toHaveLength(3);
      expect(received).toEqual(expect.arrayContaining([{ id: 1 }, "two", { id: 3 }]));
    });

    it("delivers in bulk what was published alone and in bulk", async () => {
      await pubsub.publish(broker, "bulk", { id: 0 });
      await pubsub.publishBulk(broker, "bulk", [{ id: 1 }, { id: 2 }, "three"]);
      const received = await inbox.take("bulk", 4);
      expect(received).toHaveLength(4);
      expect(received).toEqual(expect.arrayContaining([{ id: 0 }, { id: 1 }, { id: 2 }, "three"]));
    });

    it("tells of a broker there is none of", async () => {
      expect(await failureOf(pubsub.publish("nowhere", "placed", { id: 1 }))).toMatch(/pubsub nowhere is not found/);
      const { failedMessages } = await pubsub.publishBulk("nowhere", "placed", [{ id: 1 }, { id: 2 }]);
      expect(failedMessages.map(({ message, error }) => [message.event, error.message])).toEqual([
        [{ id: 1 }, expect.stringMatching(/pubsub nowhere is not found/)],
        [{ id: 2 }, expect.stringMatching(/pubsub nowhere is not found/)],
      ]);
    });
  });
});

const CLOUD_EVENT = { contentType: "application/cloudevents+json" };

function cloudEvent(type: string, data: object): object {
  return { specversion: "1.0", type, source: "orders", id: "event-1", datacontenttype: "application/json", data };
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { systemRandom } from "../../kit/random.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ComponentDeps } from "../spi/component.ts";
import type { PubSub, PubSubMessage } from "../spi/pubsub.ts";
import { PubSubHub } from "./pubsub-hub.ts";
import { createSqlitePubSub } from "./pubsub.ts";

let folder = "";
let clock: VirtualClock;
const opened: PubSub[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outrigger-pubsub-"));
  clock = new VirtualClock();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((broker) => broker.close()));
  rmSync(folder, { recursive: true });
});

async function start(
  metadata: Readonly<Record<string, string>> = {},
  report: ComponentDeps["report"] = () => undefined,
  hub?: PubSubHub,
): Promise<PubSub> {
  const values = new Map<string, unknown>();
  const broker = createSqlitePubSub({
    name: "broker",
    appId: "app",
    namespace: "",
    logger: silentLogger,
    clock,
    random: systemRandom,
    environment: {},
    report,
    shared: {
      acquire<T>(key: string, create: () => T): T {
        values.set(key, hub ?? values.get(key) ?? create());
        return values.get(key) as T;
      },
    },
  });
  opened.push(broker);
  await broker.init({ connectionString: join(folder, "a.db"), ...metadata }, new AbortController().signal);
  return broker;
}

function publish(
  broker: PubSub,
  text: string,
  metadata: Readonly<Record<string, string>> = {},
  topic = "t",
): Promise<void> {
  return broker.publish({ topic, data: Buffer.from(text), contentType: undefined, metadata });
}

/** A subscription whose messages are settled by hand. */
async function take(broker: PubSub, topic = "t", metadata: Readonly<Record<string, string>> = {}) {
  const taken: { text: string; message: PubSubMessage; done: () => void; fail: () => void }[] = [];
  const subscription = await broker.subscribe({ topic, metadata }, (message) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const text = Buffer.from(message.data).toString();
    taken.push({ text, message, done: resolve, fail: () => reject(new Error(`no ${text}`)) });
    return promise;
  });
  const texts = (): string[] => taken.map(({ text }) => text);
  return { taken, texts, subscription, until: (count: number) => soon(() => expect(taken).toHaveLength(count)) };
}

const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5_000, interval: 2 });

/** Rows of the file as anybody may read them. */
function rows(sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(folder, "a.db"), { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

const deliveries = () => rows("SELECT message_id AS id, attempts, due_ms FROM pubsub_deliveries ORDER BY id");

/** Enough turns for a write that should not happen to be seen. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 40));

test("a broker that cannot look for messages reports itself degraded until it can", async () => {
  const reports: string[] = [];
  const hub = new PubSubHub();
  const broker = await start(
    { pollInterval: "1s" },
    (condition, reason = "") => void reports.push(`${condition} ${reason}`),
    hub,
  );
  await take(broker);
  const engine = await hub.join(() => Promise.reject(new Error("it is open already")));
  const broken = vi.spyOn(engine, "read").mockImplementation(() => {
    throw new Error("disk I/O error");
  });
  clock.advance(1_000);
  expect(reports).toEqual(["degraded disk I/O error"]);
  broken.mockRestore();
  clock.advance(1_000);
  expect(reports.at(-1)).toBe("ready ");
  await hub.leave();
});

describe("redelivery", () => {
  test("waits twice as long after each attempt, up to the limit", async () => {
    const broker = await start({ backOffInitialInterval: "1s", backOffMaxInterval: "3s" });
    const { taken, until } = await take(broker);
    await publish(broker, "1");
    for (const [attempt, waitMs] of [1_000, 2_000, 3_000, 3_000].entries()) {
      await until(attempt + 1);
      taken[attempt]?.fail();
      await soon(() => expect(deliveries()).toMatchObject([{ attempts: attempt + 1, due_ms: clock.now() + waitMs }]));
      clock.advance(waitMs - 1);
      await settle();
      expect(taken).toHaveLength(attempt + 1);
      clock.advance(1);
    }
    await until(5);
    taken[4]?.done();
    await soon(() => expect(deliveries()).toEqual([]));
  });

  test("a message at work goes to nobody else, though it takes longer than processingTimeout", async () => {
    const one = await start({ processingTimeout: "3s" });
    const first = await take(one);
    await publish(one, "1");
    await first.until(1);
    const second = await take(await start({ processingTimeout: "3s" }));
    for (let passed = 1; passed <= 5; passed += 1) {
      clock.advance(1_000);
      await soon(() => expect(deliveries()).toMatchObject([{ attempts: 1, due_ms: clock.now() + 3_000 }]));
    }
    expect([first.texts(), second.texts()]).toEqual([["1"], []]);
    first.taken[0]?.done();
    await soon(() => expect(deliveries()).toEqual([]));
  });

  test("what a closing subscription gives back does not count as a delivery", async () => {
    const broker = await start({ maxDeliveries: "1" });
    const { taken, until, subscription } = await take(broker);
    await publish(broker, "1");
    await until(1);
    const closed = subscription.close();
    taken[0]?.fail();
    await closed;
    expect(deliveries()).toMatchObject([{ attempts: 0, due_ms: clock.now() }]);
    const again = await take(broker);
    await again.until(1);
    again.taken[0]?.done();
  });
});

describe("dead letters", () => {
  test("a message that used up its deliveries is parked with all there is to know", async () => {
    const broker = await start({ maxDeliveries: "2", backOffInitialInterval: "1s" });
    const { taken, until } = await take(broker);
    await publish(broker, "1", { key: "v" });
    await until(1);
    taken[0]?.fail();
    await soon(() => expect(deliveries()).toMatchObject([{ attempts: 1, due_ms: clock.now() + 1_000 }]));
    clock.advance(1_000);
    await until(2);
    taken[1]?.fail();
    await soon(() => expect(deliveries()).toEqual([]));
    expect(rows("SELECT * FROM pubsub_dead_letters")).toMatchObject([
      {
        topic: "t",
        consumer: "app",
        data: Uint8Array.from(Buffer.from("1")),
        metadata: '{"key":"v"}',
        attempts: 2,
        reason: "no 1",
        parked_ms: clock.now(),
      },
    ]);
  });

  test("it goes to deadLetterTopic where somebody subscribes to that", async () => {
    const broker = await start({ maxDeliveries: "1", deadLetterTopic: "dead" });
    const dead = await take(broker, "dead");
    const { taken, until } = await take(broker);
    await publish(broker, "1", { key: "v" });
    await until(1);
    taken[0]?.fail();
    await dead.until(1);
    expect(dead.taken[0]?.message).toMatchObject({ topic: "dead", metadata: { key: "v" } });
    expect(dead.texts()).toEqual(["1"]);
    dead.taken[0]?.done();
    await soon(() => expect(deliveries()).toEqual([]));
    expect(rows("SELECT * FROM pubsub_dead_letters")).toEqual([]);
  });

  test("it is parked where nobody does", async () => {
    const broker = await start({ maxDeliveries: "1", deadLetterTopic: "dead" });
    const { taken, until } = await take(broker);
    await publish(broker, "1");
    await until(1);
    taken[0]?.fail();
    await soon(() => expect(rows("SELECT reason FROM pubsub_dead_letters")).toEqual([{ reason: "no 1" }]));
  });
});

describe("limits", () => {
  test("a full backlog refuses a publish and names the limit, until messages are taken", async () => {
    const broker = await start({ maxBacklog: "2" });
    const { taken, until } = await take(broker);
    await publish(broker, "1");
    await publish(broker, "2");
    await expect(publish(broker, "3")).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringMatching(
        /topic t stores 2 messages.*maxBacklog of component broker.*consumer app has come least far/,
      ) as string,
    });
    await until(2);
    taken[0]?.done();
    await soon(() => expect(deliveries()).toHaveLength(1));
    await publish(broker, "4");
    await until(3);
    for (const { done } of taken) {
      done();
    }
  });

  test.each([
    [{ deliverAt: "tomorrow" }, "deliverAt must be a time such as 2026-01-02T03:04:05Z: actual is 'tomorrow'"],
    [{ delayInSeconds: "-1" }, "delayInSeconds must be a number that is not negative: actual is '-1'"],
    [{ ttlInSeconds: "soon" }, "ttl value must be a valid integer: actual is 'soon'"],
    [{ ttlInSeconds: "-1" }, "ttl value must be higher than zero: actual is '-1'"],
  ])("%j is refused", async (metadata, message) => {
    const broker = await start();
    await expect(publish(broker, "1", metadata)).rejects.toMatchObject({ kind: "invalidRequest", message });
  });

  test("metadata has a limit", async () => {
    const broker = await start();
    await expect(publish(broker, "1", { long: "x".repeat(70_000) })).rejects.toMatchObject({
      kind: "invalidRequest",
      message: "a message's metadata has at most 65536 characters, this one's has 70011",
    });
  });

  test.each([
    [{ concurrency: "0" }, "concurrency"],
    [{ maxBacklog: "0" }, "maxBacklog"],
    [{ maxDeliveries: "-1" }, "maxDeliveries"],
    [{ processingTimeout: "0" }, '"processingTimeout" of component broker must be 100ms or more'],
    [{ processingTimeout: "99ms" }, '"processingTimeout" of component broker must be 100ms or more'],
    [{ handlerTimeout: "-1s" }, "handlerTimeout"],
    [{ concurrencyMode: "triple" }, "concurrencyMode"],
    [{ connectionString: "" }, "missing connection string"],
  ])("metadata %j is refused", async (metadata, text) => {
    await expect(start(metadata)).rejects.toMatchObject({
      kind: "invalidMetadata",
      message: expect.stringContaining(text) as string,
    });
  });
});

describe("time", () => {
  test("a message is held back until its time, over a restart, and then not again", async () => {
    const broker = await start();
    const first = await take(broker);
    await publish(broker, "later", { delayInSeconds: "60", key: "v" });
    await publish(broker, "now");
    await first.until(1);
    expect(first.texts()).toEqual(["now"]);
    first.taken[0]?.done();
    await broker.close();
    const again = await take(await start());
    clock.advance(59_999);
    await settle();
    expect(again.texts()).toEqual([]);
    clock.advance(1);
    await again.until(1);
    expect(again.taken[0]?.message.metadata).toEqual({ key: "v" });
    again.taken[0]?.done();
  });

  test("expired messages are removed though nobody takes them", async () => {
    const broker = await start();
    const { subscription } = await take(broker);
    await subscription.close();
    await publish(broker, "short", { ttlInSeconds: "2" });
    await publish(broker, "long", { ttlInSeconds: "1h" });
    clock.advance(1_000);
    await settle();
    expect(rows("SELECT 1 FROM pubsub_messages")).toHaveLength(2);
    clock.advance(1_000);
    await soon(() =>
      expect(rows("SELECT CAST(data AS TEXT) AS text FROM pubsub_messages")).toEqual([{ text: "long" }]),
    );
    expect(rows("SELECT messages FROM pubsub_topics")).toEqual([{ messages: 1 }]);
  });
});

describe("storage", () => {
  test("messages are removed when the last subscription has done with them", async () => {
    const broker = await start();
    const other = await start({ consumerID: "other" });
    const [one, two] = [await take(broker), await take(other)];
    await publish(broker, "1");
    await one.until(1);
    one.taken[0]?.done();
    await soon(() =>
      expect(
        rows(
          "SELECT consumer FROM pubsub_subscriptions WHERE id NOT IN (SELECT subscription_id FROM pubsub_deliveries)",
        ),
      ).toContainEqual({ consumer: "app" }),
    );
    await settle();
    expect(rows("SELECT 1 FROM pubsub_messages")).toHaveLength(1);
    clock.advance(1_000);
    await two.until(1);
    two.taken[0]?.done();
    await soon(() => expect(rows("SELECT 1 FROM pubsub_messages")).toEqual([]));
    expect(rows("SELECT messages FROM pubsub_topics")).toEqual([{ messages: 0 }]);
  });

  test("a subscription that an operator deletes takes along what only it waited for", async () => {
    const broker = await start();
    const one = await take(broker);
    const gone = await start({ consumerID: "gone" });
    await (await take(gone)).subscription.close();
    for (const text of ["1", "2", "3"]) {
      await publish(broker, text);
    }
    await one.until(3);
    one.taken[0]?.done();
    one.taken[1]?.done();
    await soon(() => expect(deliveries()).toHaveLength(1));
    expect(rows("SELECT messages FROM pubsub_topics")).toEqual([{ messages: 3 }]);
    const database = new DatabaseSync(join(folder, "a.db"), { timeout: 2_000 });
    database.exec("DELETE FROM pubsub_subscriptions WHERE consumer = 'gone'");
    expect(rows("SELECT CAST(data AS TEXT) AS text FROM pubsub_messages")).toEqual([{ text: "3" }]);
    expect(rows("SELECT messages FROM pubsub_topics")).toEqual([{ messages: 1 }]);
    one.taken[2]?.done();
    await soon(() => expect(rows("SELECT 1 FROM pubsub_messages")).toEqual([]));
    database.exec("DELETE FROM pubsub_subscriptions");
    database.close();
    expect(rows("SELECT 1 FROM pubsub_topics")).toEqual([]);
  });

  test("a message to a topic without subscription is stored nowhere", async () => {
    const broker = await start();
    await publish(broker, "1");
    expect(rows("SELECT 1 FROM pubsub_messages")).toEqual([]);
    const { texts, until, taken } = await take(broker);
    await publish(broker, "2");
    await until(1);
    expect(texts()).toEqual(["2"]);
    taken[0]?.done();
  });

  test("what another process published is noticed within pollInterval", async () => {
    const [publisher, subscriber] = [await start(), await start({ pollInterval: "50ms" })];
    const { texts, until, taken } = await take(subscriber);
    await settle();
    await publish(publisher, "1");
    await settle();
    expect(texts()).toEqual([]);
    clock.advance(50);
    await until(1);
    taken[0]?.done();
  });

  test("a database in memory works as well", async () => {
    const broker = await start({ connectionString: ":memory:" });
    const { texts, until, taken } = await take(broker);
    await publish(broker, "1");
    await until(1);
    expect(texts()).toEqual(["1"]);
    taken[0]?.done();
  });
});

describe("order", () => {
  test("single hands out one at a time, in the order of publishing", async () => {
    const broker = await start();
    const { taken, texts, until } = await take(broker, "t", { concurrencyMode: "single" });
    for (const text of ["1", "2", "3"]) {
      await publish(broker, text);
    }
    for (const count of [1, 2, 3]) {
      await until(count);
      await settle();
      expect(texts()).toEqual(["1", "2", "3"].slice(0, count));
      taken[count - 1]?.done();
    }
  });

  test("no more run side by side than concurrency says, and they start in order", async () => {
    const broker = await start({ concurrency: "3" });
    const { taken, texts, until } = await take(broker);
    await Promise.all(Array.from({ length: 10 }, (_, index) => publish(broker, String(index))));
    for (let done = 0; done < 10; done += 1) {
      await until(Math.min(10, done + 3));
      await settle();
      expect(taken).toHaveLength(Math.min(10, done + 3));
      taken[done]?.done();
    }
    expect(texts()).toEqual(Array.from({ length: 10 }, (_, index) => String(index)));
  });
});

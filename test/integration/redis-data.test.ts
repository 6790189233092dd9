import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redisBindingsManifest } from "../../src/components/redis/bindings-manifest.ts";
import { redisConfigurationManifest } from "../../src/components/redis/configuration-manifest.ts";
import { redisPubSubManifest } from "../../src/components/redis/pubsub-manifest.ts";
import { redisStateManifest } from "../../src/components/redis/state-manifest.ts";
import type { Component, ComponentManifest } from "../../src/components/spi/component.ts";
import type { ConfigurationItems } from "../../src/components/spi/configuration.ts";
import type { StateSetRequest } from "../../src/components/spi/state.ts";
import { redisDeps } from "../conformance/redis.ts";
import { redisMissing, redisNote, type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { until } from "../harness/until.ts";

/** What stands at rest, and how we treat what a daprd or somebody else left there. */
describe.skipIf(redisMissing !== undefined)(`data in Redis is Dapr's${redisNote}`, () => {
  let redis: RedisServer;
  const opened: Component[] = [];

  beforeAll(async () => {
    redis = await startRedisServer();
  });

  afterAll(async () => {
    await Promise.all(opened.map((component) => component.close()));
    await redis[Symbol.asyncDispose]();
  });

  async function open<T extends Component>(
    manifest: ComponentManifest<T>,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const component = (await manifest.load())(redisDeps);
    opened.push(component);
    await component.init({ redisHost: redis.address, ...metadata }, new AbortController().signal);
    return component;
  }

  const setOf = (key: string, value: string, rest: Partial<StateSetRequest> = {}): StateSetRequest => ({
    key,
    value: Buffer.from(value),
    valueIsJson: false,
    etag: undefined,
    metadata: {},
    concurrency: "",
    consistency: "",
    ...rest,
  });
  const getOf = (key: string) => ({ key, metadata: {}, consistency: "" as const });
  const words = (...values: readonly string[]): string =>
    `*${values.length}\r\n${values.map((value) => `$${Buffer.byteLength(value)}\r\n${value}\r\n`).join("")}`;

  describe("state", () => {
    it("is a hash of data and version", async () => {
      const store = await open(redisStateManifest);
      await store.set(setOf("hash", '"é"'));
      await store.set(setOf("hash", "2"));
      expect(await redis.command("HGETALL", "hash")).toBe(words("data", "2", "version", "2"));
      expect(await redis.command("TTL", "hash")).toBe(":-1\r\n");
    });

    it("of a first write is marked, and the mark holds against writes without an etag", async () => {
      const store = await open(redisStateManifest);
      await store.set(setOf("first", "1", { concurrency: "first-write" }));
      expect(await redis.command("HGETALL", "first")).toBe(words("data", "1", "first-write", "0", "version", "1"));
      await expect(store.set(setOf("first", "2"))).rejects.toMatchObject({ kind: "etagMismatch" });
      await store.set(setOf("first", "3", { etag: "1" }));
      expect((await store.get(getOf("first")))?.etag).toBe("2");
    });

    it("that was a plain string is read without an etag and overwritten as a hash", async () => {
      const store = await open(redisStateManifest);
      await redis.command("SET", "plain", "old");
      expect(await store.get(getOf("plain"))).toEqual({
        data: Buffer.from("old"),
        etag: undefined,
        metadata: undefined,
      });
      await store.set(setOf("plain", "new"));
      expect(await redis.command("HGETALL", "plain")).toBe(words("data", "new", "version", "1"));
    });

    it("that is somebody else's hash is an error", async () => {
      const store = await open(redisStateManifest);
      await redis.command("HSET", "foreign", "a", "b");
      await expect(store.get(getOf("foreign"))).rejects.toThrow(
        "required hash field 'data' or 'version' was not found",
      );
      expect(await store.bulkGet?.([getOf("foreign")])).toEqual([
        { key: "foreign", item: undefined, error: "required hash field 'data' or 'version' was not found" },
      ]);
    });

    it("expires after the component's time to live, unless the request says otherwise", async () => {
      const store = await open(redisStateManifest, { ttlInSeconds: "100" });
      await store.set(setOf("ttl-default", "1"));
      await store.set(setOf("ttl-own", "1", { metadata: { ttlInSeconds: "1000" } }));
      await store.set(setOf("ttl-none", "1", { metadata: { ttlInSeconds: "-1" } }));
      const left = async (key: string) => Number((await redis.command("TTL", key)).slice(1));
      expect(await left("ttl-default")).toBeGreaterThan(90);
      expect(await left("ttl-own")).toBeGreaterThan(990);
      expect(await left("ttl-none")).toBe(-1);
      await expect(store.set(setOf("ttl", "1", { metadata: { ttlInSeconds: "x" } }))).rejects.toThrow(
        'failed to parse ttl from metadata: strconv.ParseInt: parsing "x": invalid syntax',
      );
    });

    it("takes integers for etags, and none for the last write", async () => {
      const store = await open(redisStateManifest);
      await store.set(setOf("etag", "1"));
      await expect(store.set(setOf("etag", "2", { etag: "x" }))).rejects.toMatchObject({
        kind: "etagInvalid",
        message: 'invalid etag value: strconv.Atoi: parsing "x": invalid syntax',
      });
      await store.set(setOf("etag", "2", { etag: "77", concurrency: "last-write" }));
      expect((await store.get(getOf("etag")))?.etag).toBe("2");
    });

    it("lies in the database that was asked for", async () => {
      const store = await open(redisStateManifest, { redisDB: "3" });
      await store.set(setOf("third", "1"));
      expect(await redis.command("EXISTS", "third")).toBe(":0\r\n");
      expect(await redis.command("EVAL", "redis.call('SELECT', 3) return redis.call('EXISTS', 'third')", "0")).toBe(
        ":1\r\n",
      );
    });
  });

  describe("messages", () => {
    it("are entries of data and metadata, trimmed as asked", async () => {
      const broker = await open(redisPubSubManifest, { maxLenApprox: "1" });
      for (let count = 0; count < 300; count += 1) {
        await broker.publish({
          topic: "trimmed",
          data: Buffer.from("x"),
          contentType: undefined,
          metadata: { k: "v" },
        });
      }
      expect(await redis.command("XREVRANGE", "trimmed", "+", "-", "COUNT", "1")).toContain(
        words("data", "x", "metadata", '{"k":"v"}'),
      );
      expect(Number((await redis.command("XLEN", "trimmed")).slice(1))).toBeLessThan(300);
    });

    it("that failed, or were left by a dead consumer, come again; those that succeeded do not", async () => {
      const broker = await open(redisPubSubManifest, { processingTimeout: "200", redeliverInterval: "50" });
      await redis.command("XADD", "again", "*", "data", "left", "metadata", "{}");
      await redis.command("XGROUP", "CREATE", "again", "app", "0");
      await redis.command("XREADGROUP", "GROUP", "app", "somebody", "STREAMS", "again", ">");
      const seen: string[] = [];
      await broker.subscribe({ topic: "again", metadata: {} }, async ({ data }) => {
        seen.push(Buffer.from(data).toString());
        if (seen.filter((text) => text === "fails").length === 1 && seen.at(-1) === "fails") {
          throw new Error("once");
        }
      });
      await broker.publish({ topic: "again", data: Buffer.from("fails"), contentType: undefined, metadata: {} });
      await until("nothing is pending", async () => {
        const pending = await redis.command("XPENDING", "again", "app");
        return seen.length >= 3 && pending.startsWith("*4\r\n:0\r\n");
      });
      // A handler that is held up beyond the processing time sees its message once more than it must.
      expect(seen.filter((text) => text === "fails").length).toBeGreaterThanOrEqual(2);
      expect([...new Set(seen)].toSorted()).toEqual(["fails", "left"]);
    });

    it("that no handler has seen when a subscription closes are delivered by the next at once", async () => {
      const options = { processingTimeout: "1h", redeliverInterval: "1h", concurrency: "1" };
      const broker = await open(redisPubSubManifest, options);
      const entered = Promise.withResolvers<undefined>();
      const release = Promise.withResolvers<undefined>();
      const publish = (text: string) =>
        broker.publish({ topic: "back", data: Buffer.from(text), contentType: undefined, metadata: {} });
      for (const text of ["1", "2", "3"]) {
        await publish(text);
      }
      const first = await broker.subscribe({ topic: "back", metadata: {} }, async () => {
        entered.resolve(undefined);
        await release.promise;
      });
      await entered.promise;
      const closing = first.close();
      release.resolve(undefined);
      await closing;
      const seen: string[] = [];
      const next = await open(redisPubSubManifest, options);
      await next.subscribe({ topic: "back", metadata: {} }, async ({ data }) => {
        seen.push(Buffer.from(data).toString());
      });
      await until("the others come", () => seen.length === 2);
      expect(seen.toSorted()).toEqual(["2", "3"]);
    });

    it("flow again after the stream and its group were lost", async () => {
      const broker = await open(redisPubSubManifest);
      const seen: string[] = [];
      await broker.subscribe({ topic: "lost", metadata: {} }, async ({ data }) => {
        seen.push(Buffer.from(data).toString());
      });
      await redis.command("DEL", "lost");
      await broker.publish({ topic: "lost", data: Buffer.from("after"), contentType: undefined, metadata: {} });
      await until("it comes", () => seen.includes("after"));
    });
  });

  it("a subscriber to configuration hears of what changed while Redis was away, and its settings are kept", async () => {
    await using own = await startRedisServer({ durable: true });
    await own.command("CONFIG", "SET", "notify-keyspace-events", "Elz");
    const store = (await redisConfigurationManifest.load())(redisDeps);
    await store.init({ redisHost: own.address }, new AbortController().signal);
    try {
      const told: ConfigurationItems[] = [];
      await store.subscribe({ keys: ["colour"], metadata: {} }, (items) => void told.push(items));
      const flags = await own.command("CONFIG", "GET", "notify-keyspace-events");
      const wanted = ["E", "K", "l", "z", "g", "$", "x", "e"];
      expect(wanted.filter((flag) => !flags.includes(flag))).toEqual([]);
      await own.kill();
      await own.start();
      await own.command("SET", "colour", "red||2");
      await until("it is told", () => told.some((items) => items["colour"]?.value === "red"));
      await own.command("SET", "colour", "blue||3");
      await until("later changes are told too", () => told.at(-1)?.["colour"]?.value === "blue");
    } finally {
      await store.close();
    }
  });

  it("a binding counts, expires and takes away", async () => {
    const binding = await open(redisBindingsManifest);
    const invoke = async (operation: string, metadata: Readonly<Record<string, string>>, data = "") =>
      binding.invoke?.({ operation, metadata, data: Buffer.from(data) });
    await invoke("increment", { key: "count" });
    await invoke("increment", { key: "count", ttlInSeconds: "100" });
    expect(await redis.command("GET", "count")).toBe("$1\r\n2\r\n");
    expect(Number((await redis.command("TTL", "count")).slice(1))).toBeGreaterThan(90);
    await invoke("create", { key: "once", ttl: "1h" }, "x");
    expect(Number((await redis.command("TTL", "once")).slice(1))).toBeGreaterThan(3_500);
    expect((await invoke("get", { key: "once", delete: "true" }))?.data).toEqual(Buffer.from("x"));
    expect((await invoke("get", { key: "once" }))?.data).toBeUndefined();
    await expect(invoke("get", {})).rejects.toThrow("redis binding: missing key in request metadata");
    await expect(invoke("list", { key: "k" })).rejects.toThrow("invalid operation type: list");
    await expect(invoke("create", { key: "k", ttlInSeconds: "-1" })).rejects.toThrow(
      "ttl value must be higher than zero: actual is '-1'",
    );
  });

  it("nobody there is said in Dapr's words", async () => {
    const store = (await redisStateManifest.load())(redisDeps);
    const init = store.init({ redisHost: "127.0.0.1:1" }, new AbortController().signal);
    await expect(init).rejects.toMatchObject({
      kind: "unavailable",
      message:
        "redis store: error connecting to redis at 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused",
    });
    await store.close();
  });

  it("a password is asked for and used", async () => {
    await using own = await startRedisServer();
    await own.command("CONFIG", "SET", "requirepass", "secret");
    const attempt = async (metadata: Readonly<Record<string, string>>): Promise<void> => {
      const store = (await redisStateManifest.load())(redisDeps);
      try {
        await store.init({ redisHost: own.address, redisMaxRetries: "-1", ...metadata }, new AbortController().signal);
      } finally {
        await store.close();
      }
    };
    await expect(attempt({})).rejects.toThrow("NOAUTH");
    await expect(attempt({ redisPassword: "wrong" })).rejects.toThrow("WRONGPASS");
    await attempt({ redisPassword: "secret" });
    await attempt({ redisUsername: "default", redisPassword: "secret" });
  });
});

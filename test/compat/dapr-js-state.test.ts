import { setTimeout as pause } from "node:timers/promises";
import { StateConcurrencyEnum, StateConsistencyEnum } from "@dapr/dapr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redisMissing, redisNote, type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { component } from "../harness/resources.ts";
import { until } from "../harness/until.ts";
import { failureOf, PROTOCOLS } from "./dapr-js.ts";
import { type ClientSystem, startClientSystem } from "./dapr-js-system.ts";

const STORES = ["memory", "sqlite", `redis${redisNote}`];
const isMissing = (store: string): boolean => store.startsWith("redis") && redisMissing !== undefined;
const FIRST_WRITE = {
  concurrency: StateConcurrencyEnum.CONCURRENCY_FIRST_WRITE,
  consistency: StateConsistencyEnum.CONSISTENCY_STRONG,
};

let redis: RedisServer | undefined;
beforeAll(async () => {
  redis = redisMissing === undefined ? await startRedisServer() : undefined;
});
afterAll(() => redis?.[Symbol.asyncDispose]());

describe.each(PROTOCOLS)("state through the official SDK over %s", (protocol) => {
  let system: ClientSystem;
  beforeAll(async () => {
    system = await startClientSystem({
      protocol,
      resources: (folder) =>
        [
          component("memory", "state.in-memory"),
          component("sqlite", "state.sqlite", { connectionString: `${folder}/state.db` }),
          ...(redis === undefined ? [] : [component("redis", "state.redis", { redisHost: redis.address })]),
        ].join("---\n"),
    });
  });
  afterAll(() => system.stop());

  describe.each(STORES)("in %s", (store) => {
    const later = isMissing(store) ? it.skip : it;

    async function etagOf(key: string): Promise<string> {
      const [item] = await system.client.state.getBulk(store, [key]);
      return String(item?.["etag"]);
    }

    later.each<[string, unknown]>([
      ["an object", { amount: 3, tags: ["a", { b: null }] }],
      ["an array", [1, "two", { three: 3 }]],
      ["a text", "plain"],
      ["a text beyond ASCII", "Füße 🦶"],
      ["a number", 12.5],
      ["true", true],
    ])("keeps %s", async (_, value) => {
      const { state } = system.client;
      expect(await state.save(store, [{ key: "kept", value }])).toEqual({});
      expect(await state.get(store, "kept")).toEqual(value);
    });

    later("keeps keys that are no plain words", async () => {
      const { state } = system.client;
      for (const key of ["two words", "größe", "a.b:c,d;e", "x-y_z~1"]) {
        await state.save(store, [{ key, value: { key } }]);
        expect(await state.get(store, key)).toEqual({ key });
        await state.delete(store, key);
        expect(await state.get(store, key)).toBe("");
      }
    });

    later("refuses keys with the separator of prefixes", async () => {
      const failure = await failureOf(system.client.state.save(store, [{ key: "a||b", value: 1 }]));
      expect(failure).toMatch(/input key\/keyPrefix 'a\|\|b' can't contain '\|\|'/);
    });

    later("deletes what is there, and what is not", async () => {
      const { state } = system.client;
      await state.save(store, [{ key: "gone", value: { n: 1 } }]);
      expect(await state.delete(store, "gone")).toEqual({});
      expect(await state.get(store, "gone")).toBe("");
      expect(await state.delete(store, "gone")).toEqual({});
    });

    later("gets many at once, with their etags", async () => {
      const { state } = system.client;
      await state.save(store, [
        { key: "bulk-1", value: { n: 1 } },
        { key: "bulk-2", value: "two" },
      ]);
      const items = await state.getBulk(store, ["bulk-1", "bulk-2", "bulk-3"], { parallelism: 2 });
      const found = new Map(items.map((item) => [item["key"], item]));
      expect(found.size).toBe(3);
      expect(found.get("bulk-1")).toMatchObject({ data: { n: 1 }, etag: expect.stringMatching(/./) as string });
      expect(found.get("bulk-2")).toMatchObject({ data: "two", etag: expect.stringMatching(/./) as string });
      expect(found.get("bulk-3")).toBeDefined();
      expect(found.get("bulk-3")?.["etag"] ?? "").toBe("");
    });

    later("keeps a write and a delete with an old etag out", async () => {
      const { state } = system.client;
      await state.save(store, [{ key: "guarded", value: { n: 1 } }]);
      const old = await etagOf("guarded");
      expect(await state.save(store, [{ key: "guarded", value: { n: 2 }, etag: old, options: FIRST_WRITE }])).toEqual(
        {},
      );
      const late = state.save(store, [{ key: "guarded", value: { n: 3 }, etag: old }]);
      expect(await failureOf(late)).toMatch(/possible etag mismatch/);
      expect(await failureOf(state.delete(store, "guarded", { etag: old }))).toMatch(/possible etag mismatch/);
      expect(await state.get(store, "guarded")).toEqual({ n: 2 });
      expect(await state.delete(store, "guarded", { etag: await etagOf("guarded") })).toEqual({});
      expect(await state.get(store, "guarded")).toBe("");
    });

    later("lets only the first write in that has no etag", async () => {
      const { state } = system.client;
      // A key of Redis that was once written so takes no other writes.
      const first = `first-${protocol}`;
      expect(await state.save(store, [{ key: first, value: 1, options: FIRST_WRITE }])).toEqual({});
      await failureOf(state.save(store, [{ key: first, value: 2, options: FIRST_WRITE }]));
      expect(await state.get(store, first)).toBe(1);
      const etag = await etagOf(first);
      expect(await state.save(store, [{ key: first, value: 3, etag, options: FIRST_WRITE }])).toEqual({});
      expect(await state.get(store, first)).toBe(3);
    });

    later("runs a transaction whole or not at all", async () => {
      const { state } = system.client;
      await state.save(store, [{ key: "tx-old", value: "1" }]);
      await state.transaction(store, [
        { operation: "upsert", request: { key: "tx-new", value: "2" } },
        { operation: "delete", request: { key: "tx-old" } },
      ]);
      // Over HTTP a string is saved as JSON, over gRPC as the bytes 2, which the SDK reads as a number.
      expect(await state.get(store, "tx-new")).toBe(protocol === "http" ? "2" : 2);
      expect(await state.get(store, "tx-old")).toBe("");
      const broken = state.transaction(store, [
        { operation: "upsert", request: { key: "tx-never", value: "3" } },
        {
          operation: "upsert",
          request: { key: "tx-new", value: "4", etag: { value: "999999" }, options: FIRST_WRITE },
        },
      ]);
      await failureOf(broken);
      expect(await state.get(store, "tx-never")).toBe("");
    });

    later("has no query, and says so", async () => {
      const query = { filter: {}, sort: [], page: { limit: 10 } };
      expect(await failureOf(system.client.state.query(store, query))).toMatch(/query/);
    });
  });

  it("forgets what has outlived its time, in every store", async () => {
    const { state } = system.client;
    const stores = STORES.filter((store) => !isMissing(store));
    const brief = [{ key: "brief", value: { n: 1 }, metadata: { ttlInSeconds: "4" } }];
    await Promise.all(stores.map((store) => state.save(store, brief)));
    const values = (): Promise<unknown[]> => Promise.all(stores.map((store) => state.get(store, "brief")));
    expect(await values()).toEqual(stores.map(() => ({ n: 1 })));
    await until("all have expired", async () => {
      await pause(50);
      return (await values()).every((value) => value === "");
    });
  });

  it("gives the SDK an error that names the store there is none of", async () => {
    const { state } = system.client;
    const named = /state store nowhere is not found/;
    expect(await failureOf(state.get("nowhere", "key"))).toMatch(named);
    expect(await failureOf(state.getBulk("nowhere", ["key"]))).toMatch(named);
    expect(await failureOf(state.save("nowhere", [{ key: "key", value: 1 }]))).toMatch(named);
    expect(await failureOf(state.delete("nowhere", "key"))).toMatch(named);
    expect(await failureOf(state.transaction("nowhere", []))).toMatch(named);
  });
});

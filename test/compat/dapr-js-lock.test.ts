import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redisMissing, type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { component } from "../harness/resources.ts";
import { until } from "../harness/until.ts";
import { IS_OURS } from "./candidate.ts";
import { failureOf, PROTOCOLS } from "./dapr-js.ts";
import { type ClientSystem, startClientSystem } from "./dapr-js-system.ts";

// The SDK exports no names for what `unlock` answers.
const [RELEASED, NOT_THERE, ANOTHERS] = [0, 1, 2];

const STORES = [...(IS_OURS ? ["lock.sqlite"] : []), ...(redisMissing === undefined ? ["lock.redis"] : [])];

describe.each(PROTOCOLS)("locks through the official SDK over %s", (protocol) => {
  let redis: RedisServer | undefined;
  let system: ClientSystem;
  beforeAll(async () => {
    redis = redisMissing === undefined ? await startRedisServer() : undefined;
    system = await startClientSystem({
      protocol,
      resources: (folder) =>
        STORES.map((store) =>
          component(
            store,
            store,
            store === "lock.redis" ? { redisHost: redis?.address ?? "" } : { connectionString: `${folder}/locks.db` },
          ),
        ).join("---\n"),
    });
  });
  afterAll(async () => {
    await system.stop();
    await redis?.[Symbol.asyncDispose]();
  });

  it("tells of a store there is none of", async () => {
    const failure = await failureOf(system.client.lock.lock("nowhere", "chair", "orders-1", 30));
    expect(failure).toMatch(/lock store nowhere not found/);
  });

  describe.each(STORES)("in %s", (store) => {
    it("has one owner at a time", async () => {
      const { lock } = system.client;
      expect(await lock.lock(store, "chair", "orders-1", 30)).toEqual({ success: true });
      expect(await lock.lock(store, "chair", "orders-2", 30)).toEqual({ success: false });
      expect(await lock.lock(store, "table", "orders-2", 30)).toEqual({ success: true });
      expect(await lock.unlock(store, "chair", "orders-2")).toEqual({ status: ANOTHERS });
      expect(await lock.unlock(store, "chair", "orders-1")).toEqual({ status: RELEASED });
      expect(await lock.unlock(store, "chair", "orders-1")).toEqual({ status: NOT_THERE });
      expect(await lock.lock(store, "chair", "orders-2", 30)).toEqual({ success: true });
    });

    it("ends with its time", async () => {
      const { lock } = system.client;
      expect(await lock.lock(store, "brief", "orders-1", 1)).toEqual({ success: true });
      await until("it has expired", async () => {
        await pause(50);
        return (await lock.lock(store, "brief", "orders-2", 30)).success;
      });
    });

    it("tells of what is missing", async () => {
      const { lock } = system.client;
      expect(await failureOf(lock.lock(store, "chair", "orders-1", 0))).toMatch(/ExpiryInSeconds is not positive/);
      expect(await failureOf(lock.lock(store, "", "orders-1", 30))).toMatch(/ResourceId is empty/);
    });
  });
});

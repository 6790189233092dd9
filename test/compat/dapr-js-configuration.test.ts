import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redisMissing, type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { component } from "../harness/resources.ts";
import { until } from "../harness/until.ts";
import { IS_OURS } from "./candidate.ts";
import { failureOf } from "./dapr-js.ts";
import { type ClientSystem, startClientSystem } from "./dapr-js-system.ts";

/** A store whose items another program changes. */
interface Store {
  component(folder: string): string;
  put(folder: string, key: string, value: string, version: number): Promise<void>;
  stop?(): Promise<void>;
}

const STORES: Readonly<Record<string, () => Promise<Store>>> = {
  ...(IS_OURS && { "configuration.sqlite": sqliteStore }),
  ...(redisMissing === undefined && { "configuration.redis": redisStore }),
};

async function sqliteStore(): Promise<Store> {
  const file = (folder: string): string => `${folder}/settings.db`;
  return {
    component: (folder) =>
      component("settings", "configuration.sqlite", { connectionString: file(folder), pollInterval: "5ms" }),
    async put(folder, key, value, version) {
      const database = new DatabaseSync(file(folder), { timeout: 2_000 });
      database
        .prepare("REPLACE INTO configuration (key, value, version) VALUES (?, ?, ?)")
        .run(key, value, String(version));
      database.close();
    },
  };
}

async function redisStore(): Promise<Store> {
  const redis: RedisServer = await startRedisServer();
  return {
    component: () => component("settings", "configuration.redis", { redisHost: redis.address }),
    put: async (_, key, value, version) => void (await redis.command("SET", key, `${value}||${version}`)),
    stop: async () => redis[Symbol.asyncDispose](),
  };
}

describe.each(Object.keys(STORES))("configuration through the official SDK over grpc, in %s", (name) => {
  let store: Store;
  let system: ClientSystem;
  const put = (key: string, value: string, version: number): Promise<void> =>
    store.put(system.folder, key, value, version);
  beforeAll(async () => {
    store = await STORES[name]!();
    system = await startClientSystem({ protocol: "grpc", resources: (folder) => store.component(folder) });
    await put("color", "red", 1);
    await put("size", "small", 1);
  });
  afterAll(async () => {
    await system.stop();
    await store.stop?.();
  });

  it("gets the items that are asked for", async () => {
    const { configuration } = system.client;
    const { items } = await configuration.get("settings", ["color", "none"]);
    expect(items).toEqual({ color: { key: "color", value: "red", version: "1", metadata: {} } });
    const { items: both } = await configuration.get("settings", ["color", "size"]);
    expect(Object.keys(both).toSorted()).toEqual(["color", "size"]);
  });

  it("gets all items", async () => {
    const { items } = await system.client.configuration.get("settings");
    expect(items).toMatchObject({ color: { value: "red" }, size: { value: "small" } });
  });

  it("tells subscribers of changes until they stop", async () => {
    const { configuration } = system.client;
    const one: string[] = [];
    const all: string[] = [];
    const keep = (into: string[]) => async (update: { items: Readonly<Record<string, { value: string }>> }) => {
      into.push(...Object.entries(update.items).map(([key, { value }]) => `${key}=${value}`));
    };
    const first = await configuration.subscribeWithKeys("settings", ["color"], keep(one));
    const second = await configuration.subscribe("settings", keep(all));
    let version = 1;
    // The SDK does not say when a subscription is live.
    await until("both are told", async () => {
      version += 1;
      await put("color", `blue-${version}`, version);
      await put("size", `large-${version}`, version);
      await pause(20);
      return one.some((item) => item.startsWith("color=blue")) && all.some((item) => item.startsWith("size=large"));
    });
    expect(one.every((item) => item.startsWith("color="))).toBe(true);
    first.stop();
    await until("the first is told no more", async () => {
      const before = one.length;
      version += 1;
      await put("color", `green-${version}`, version);
      await until("the second is told", () => all.includes(`color=green-${version}`));
      return one.length === before;
    });
    second.stop();
  });

  it("tells of a store there is none of", async () => {
    expect(await failureOf(system.client.configuration.get("nowhere", ["color"]))).toMatch(
      /configuration store nowhere not found/,
    );
  });
});

it("configuration is not in the official SDK over http, as it says itself", async () => {
  const system = await startClientSystem({ protocol: "http" });
  const { configuration } = system.client;
  const ignore = async (): Promise<void> => undefined;
  for (const call of [
    configuration.get("settings", ["color"]),
    configuration.subscribe("settings", ignore),
    configuration.subscribeWithKeys("settings", ["color"], ignore),
    configuration.subscribeWithMetadata("settings", ["color"], {}, ignore),
  ]) {
    expect(await failureOf(call)).toBe("HTTP is currently not supported.");
  }
  await system.stop();
});

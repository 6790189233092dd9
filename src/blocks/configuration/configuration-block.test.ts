import { describe, expect, it, vi } from "vitest";
import type { ComponentManifest } from "../../components/spi/component.ts";
import type {
  ConfigurationItems,
  ConfigurationListener,
  ConfigurationStore,
} from "../../components/spi/configuration.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import { LiveView } from "../../inventory/view.ts";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { createConfigurationBlock } from "./configuration-block.ts";
import { UpdateQueue, WAITING_UPDATES_MAX } from "./update-queue.ts";

const item = (value: string) => ({ value, version: "1", metadata: {} });

class FakeStore implements ConfigurationStore {
  readonly listeners = new Set<ConfigurationListener>();

  async init(): Promise<void> {}

  async close(): Promise<void> {}

  async get({ keys }: { readonly keys: readonly string[] }): Promise<ConfigurationItems> {
    if (keys.includes("bad")) {
      throw new ComponentError("unavailable", "no line");
    }
    return { a: item("1") };
  }

  async subscribe({ keys }: { readonly keys: readonly string[] }, listener: ConfigurationListener) {
    await this.get({ keys });
    this.listeners.add(listener);
    return { close: async (): Promise<void> => void this.listeners.delete(listener) };
  }

  push(items: ConfigurationItems): void {
    for (const listener of this.listeners) {
      listener(items);
    }
  }
}

const manifest: ComponentManifest<ConfigurationStore> = {
  family: "configuration",
  type: "configuration.fake",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: [],
  load: async () => () => new FakeStore(),
};

function setUp() {
  const stores = new LiveView<ConfigurationStore>();
  const block = createConfigurationBlock({
    stores,
    random: systemRandom,
    logger: silentLogger,
    clock: new VirtualClock(),
  });
  const store = new FakeStore();
  const load = (): unknown =>
    stores.set({ name: "store", manifest, version: "v1", metadata: {}, secretNames: {}, component: store });
  return { stores, block, store, load };
}

function loaded() {
  const parts = setUp();
  parts.load();
  return parts;
}

const request = (...keys: string[]) => ({ store: "store", keys, metadata: {} });

describe("configuration", () => {
  it("says which store is missing", async () => {
    const { block, load } = setUp();
    await expect(block.get(request())).rejects.toMatchObject({
      message: "configuration stores not configured",
      httpStatus: 500,
      grpcStatus: 9,
    });
    load();
    await expect(block.get({ ...request(), store: "x" })).rejects.toMatchObject({
      message: "configuration store x not found",
      httpStatus: 400,
      grpcStatus: 3,
      entry: { code: "ERR_CONFIGURATION_STORE_NOT_FOUND" },
    });
  });

  it("says what the store said", async () => {
    const { block } = loaded();
    expect(await block.get(request("a"))).toEqual({ a: item("1") });
    await expect(block.get(request("a", "bad"))).rejects.toMatchObject({
      message: "failed to get [a bad] from Configuration store store: no line",
      entry: { code: "ERR_CONFIGURATION_GET" },
    });
    await expect(block.subscribe(request("bad"))).rejects.toMatchObject({
      message: "failed to subscribe [bad] from Configuration store store: no line",
      entry: { code: "ERR_CONFIGURATION_SUBSCRIBE" },
      grpcStatus: 3,
    });
  });

  it("hands updates on in order until it is unsubscribed", async () => {
    const { block, store } = loaded();
    const { id, updates } = await block.subscribe(request("a"));
    store.push({ a: item("2") });
    store.push({ a: item("3") });
    const seen: string[] = [];
    for await (const items of updates) {
      seen.push(items["a"]?.value ?? "");
      if (seen.length === 2) {
        await block.unsubscribe("store", id);
      }
    }
    expect(seen).toEqual(["2", "3"]);
    expect(store.listeners.size).toBe(0);
  });

  it("knows no subscription of another store, and none twice", async () => {
    const { block } = loaded();
    const { id } = await block.subscribe(request("a"));
    await expect(block.unsubscribe("other", id)).rejects.toMatchObject({
      message: `failed to unsubscribe to configuration request ${id}: subscription with id ${id} does not exist`,
    });
    await block.unsubscribe(undefined, id);
    await expect(block.unsubscribe(undefined, id)).rejects.toMatchObject({
      message: `failed to unsubscribe to configuration request ${id}: subscription does not exist`,
      entry: { code: "ERR_CONFIGURATION_UNSUBSCRIBE" },
    });
  });

  it("moves subscriptions to the store that takes the place of theirs, and ends those that it does not take", async () => {
    const { stores, block, store } = loaded();
    const { updates } = await block.subscribe(request("a"));
    const refused = await block.subscribe(request("refused"));
    const next = new FakeStore();
    const subscribe = next.subscribe.bind(next);
    next.subscribe = (asked, listener) =>
      asked.keys.includes("refused") ? Promise.reject(new Error("no such key")) : subscribe(asked, listener);
    await stores.set({ name: "store", manifest, version: "v1", metadata: {}, secretNames: {}, component: next })
      .settled;
    expect(store.listeners.size).toBe(0);
    expect(next.listeners.size).toBe(1);
    next.push({ a: item("2") });
    expect((await updates[Symbol.asyncIterator]().next()).value).toEqual({ a: item("2") });
    expect((await refused.updates[Symbol.asyncIterator]().next()).done).toBe(true);
    await block.close();
    expect(next.listeners.size).toBe(0);
  });

  it("ends subscriptions with their store, and all when it closes", async () => {
    const { block, store, stores, load } = loaded();
    const first = await block.subscribe(request("a"));
    stores.delete("store");
    for await (const items of first.updates) {
      expect(items).toBeUndefined();
    }
    load();
    const second = await block.subscribe(request("a"));
    await block.close();
    for await (const items of second.updates) {
      expect(items).toBeUndefined();
    }
    await vi.waitFor(() => expect(store.listeners.size).toBe(0), { timeout: 8_000 });
    await expect(block.subscribe(request("a"))).rejects.toThrow("the sidecar is shutting down");
  });
});

describe("UpdateQueue", () => {
  it("folds what a slow reader lets pile up, keeping the newest of each key", async () => {
    const queue = new UpdateQueue();
    for (let index = 0; index < WAITING_UPDATES_MAX; index += 1) {
      queue.push({ [`k${index % 3}`]: item(String(index)) });
    }
    queue.push({ last: item("x") });
    const reader = queue[Symbol.asyncIterator]();
    expect((await reader.next()).value).toEqual({ k0: item("999"), k1: item("997"), k2: item("998") });
    expect((await reader.next()).value).toEqual({ last: item("x") });
    queue.end();
    expect((await reader.next()).done).toBe(true);
  });
});

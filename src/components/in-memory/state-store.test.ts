import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { StateSetRequest } from "../spi/state.ts";
import { SWEEP_PERIOD_MS } from "./state-limits.ts";
import { stateDeps } from "./state-store.fixture.ts";
import { InMemoryStateStore } from "./state-store.ts";

async function opened(
  metadata: Record<string, string> = {},
): Promise<{ store: InMemoryStateStore; clock: VirtualClock }> {
  const clock = new VirtualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 600));
  const store = new InMemoryStateStore(stateDeps(clock));
  await store.init(metadata);
  return { store, clock };
}

function setOf(key: string, value: string | Uint8Array, metadata: Record<string, string> = {}): StateSetRequest {
  return {
    key,
    value: Buffer.from(value),
    valueIsJson: false,
    etag: undefined,
    metadata,
    concurrency: "",
    consistency: "",
  };
}

const getOf = (key: string) => ({ key, metadata: {}, consistency: "" }) as const;

describe("state.in-memory", () => {
  test("gives UUIDs as etags and Dapr's words for those that do not match", async () => {
    const { store } = await opened();
    await store.set(setOf("k", "1"));
    const etag = (await store.get(getOf("k")))?.etag;
    expect(etag).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    const mismatch = "possible etag mismatch. error from state store: ";
    await expect(store.set({ ...setOf("k", "2"), etag: "x" })).rejects.toThrow(
      `${mismatch}state etag not match for key=k: current=${etag}, expect=x`,
    );
    await expect(store.set({ ...setOf("none", "2"), etag: "x" })).rejects.toThrow(
      `${mismatch}state not exist or expired for key=none`,
    );
    await expect(store.set({ ...setOf("k", "2"), concurrency: "first-write" })).rejects.toThrow(
      `${mismatch}item already exists and no etag was passed`,
    );
  });

  test("an item is there until its time has passed, told in whole seconds", async () => {
    const { store, clock } = await opened();
    await store.set(setOf("k", "1", { ttlInSeconds: "3" }));
    expect((await store.get(getOf("k")))?.metadata).toEqual({ ttlExpireTime: "2026-01-02T03:04:08Z" });
    clock.advance(3_000);
    expect(await store.get(getOf("k"))).toBeDefined();
    clock.advance(1);
    expect(await store.get(getOf("k"))).toBeUndefined();
  });

  test("expired items give their room back without being read", async () => {
    const { store, clock } = await opened({ maxBytes: "20000" });
    for (let index = 0; index < 100; index += 1) {
      await store.set(setOf(`k${index}`, Buffer.alloc(150), { ttlInSeconds: "1" }));
    }
    await expect(store.set(setOf("big", Buffer.alloc(15_000)))).rejects.toThrow(
      "the in-memory state store is full: its limit is 20000 bytes (metadata maxBytes)",
    );
    clock.advance(1_000 + 2 * SWEEP_PERIOD_MS);
    await store.set(setOf("big", Buffer.alloc(15_000)));
  });

  test("a sweep goes on after writes and deletes between its turns", async () => {
    const { store, clock } = await opened({ maxBytes: "2000000" });
    const fill = async (from: number, to: number): Promise<void> => {
      for (let index = from; index < to; index += 1) {
        await store.set(setOf(`k${index}`, Buffer.alloc(100), { ttlInSeconds: "1" }));
      }
    };
    await fill(0, 12_000);
    clock.advance(2_000);
    await fill(12_000, 12_010);
    clock.advance(5_000);
    await store.set(setOf("big", Buffer.alloc(1_990_000)));
  });

  test("the limit counts what replaces as replaced, and a transaction as a whole", async () => {
    const { store } = await opened({ maxBytes: "1k" });
    await store.set(setOf("k", Buffer.alloc(900)));
    await store.set(setOf("k", Buffer.alloc(999)));
    await store.delete({ key: "k", etag: undefined, metadata: {}, concurrency: "", consistency: "" });
    const half = (key: string) => ({ kind: "upsert", request: setOf(key, Buffer.alloc(600)) }) as const;
    await expect(store.transact([half("a"), half("b")], {})).rejects.toThrow("is full");
    expect(await store.get(getOf("a"))).toBeUndefined();
    await store.set(setOf("k", Buffer.alloc(900)));
  });

  test("a value does not hold on to the buffer it was cut out of", async () => {
    const { store } = await opened();
    const request = Buffer.alloc(65_536);
    await store.set({ ...setOf("k", ""), value: request.subarray(10, 1_034) });
    expect((await store.get(getOf("k")))?.data.buffer.byteLength).toBe(1_024);
  });

  test("closing forgets everything and stops the sweep", async () => {
    const { store, clock } = await opened();
    await store.set(setOf("k", "1"));
    await store.close();
    expect(clock.pendingTimers).toBe(0);
    expect(await store.get(getOf("k"))).toBeUndefined();
  });

  test("a limit that is no quantity is refused at init", async () => {
    await expect(opened({ maxBytes: "much" })).rejects.toEqual(expect.objectContaining({ kind: "invalidMetadata" }));
  });

  test.each(["", "||"])("the prefix %j would delete everything and is refused", async (prefix) => {
    const { store } = await opened();
    await expect(store.deletePrefix(prefix)).rejects.toThrow("a prefix is required for deleteWithPrefix request");
  });

  test("keys are listed in the order of their last writes; a foreign token is refused", async () => {
    const { store } = await opened();
    for (const key of ["a", "b", "c", "a"]) {
      await store.set(setOf(key, "1"));
    }
    expect((await store.keysLike({ pattern: "%", pageSize: undefined, continuationToken: undefined })).keys).toEqual([
      "b",
      "c",
      "a",
    ]);
    await expect(store.keysLike({ pattern: "%", pageSize: 1, continuationToken: "x" })).rejects.toThrow(
      'invalid continue token: strconv.ParseUint: parsing "x": invalid syntax',
    );
  });
});

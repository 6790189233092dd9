import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { recordingLogger, type RecordingLogger } from "../../../test/harness/recording-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ComponentMetadata } from "../spi/component.ts";
import { componentDeps } from "../spi/component-deps.fixture.ts";
import type { StateSetRequest } from "../spi/state.ts";
import { SqliteStateStore } from "./state-store.ts";

let folder = "";
let file = "";
let clock: VirtualClock;
let logger: RecordingLogger;
const stores: SqliteStateStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outrigger-state-"));
  file = join(folder, "state.db");
  clock = new VirtualClock();
  logger = recordingLogger();
});

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  rmSync(folder, { recursive: true });
});

async function open(metadata: ComponentMetadata = {}): Promise<SqliteStateStore> {
  const store = new SqliteStateStore(componentDeps({ name: "store", logger, clock }));
  stores.push(store);
  await store.init({ connectionString: file, ...metadata });
  return store;
}

const set = (key: string, value: string, rest: Partial<StateSetRequest> = {}): StateSetRequest => ({
  key,
  value: Buffer.from(value),
  valueIsJson: true,
  etag: undefined,
  metadata: {},
  concurrency: "",
  consistency: "",
  ...rest,
});
const get = (key: string) => ({ key, metadata: {}, consistency: "" }) as const;

function rows(sql: string): unknown[] {
  const database = new DatabaseSync(file);
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row));
  } finally {
    database.close();
  }
}

test("rows are stored as Dapr stores them", async () => {
  const store = await open();
  await store.set(set("json", '{"a":"é"}'));
  await store.set(set("bytes", "\u0001é", { valueIsJson: false }));
  await store.set(set("ttl", "1", { metadata: { ttlInSeconds: "90" } }));
  const second = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace("T", " ");
  const now = second(clock.now());
  expect(
    rows("SELECT key, value, typeof(value), is_binary, typeof(is_binary), expiration_time, update_time FROM state"),
  ).toEqual([
    ["json", '{"a":"é"}', "text", 0, "integer", null, now],
    ["bytes", "AcOp", "text", 1, "integer", null, now],
    ["ttl", "1", "text", 0, "integer", second(clock.now() + 90_000), now],
  ]);
  expect(rows("SELECT key, value FROM metadata")).toEqual([["migrations", "1"]]);
  for (const etag of rows("SELECT etag FROM state").flat()) {
    expect(etag).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test("rows that Dapr wrote are read", async () => {
  await open();
  rows(`INSERT INTO state VALUES ('a', 'AAH+/w==', true, 'e1', '2999-01-02 03:04:05', CURRENT_TIMESTAMP),
    ('b', '"x"', false, 'e2', NULL, CURRENT_TIMESTAMP) RETURNING 1`);
  const [store] = stores;
  expect(await store?.get(get("a"))).toEqual({
    data: Buffer.of(0, 1, 254, 255),
    etag: "e1",
    metadata: { ttlExpireTime: "2999-01-02T03:04:05Z" },
  });
  expect(Buffer.from((await store?.get(get("b")))?.data ?? []).toString()).toBe('"x"');
});

test("tables have the names that the metadata give", async () => {
  await (await open({ tableName: "items", metadataTableName: "items_meta" })).set(set("k", "1"));
  expect(rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").flat()).toEqual([
    "items",
    "items_meta",
  ]);
  await expect(open({ tableName: "a b" })).rejects.toMatchObject({
    kind: "invalidMetadata",
    message: "invalid identifier: a b",
  });
  await expect(open({ metadataTableName: "m;" })).rejects.toThrow("invalid identifier: m;");
});

test.each([
  [{ connectionString: "" }, "missing connection string"],
  [{ connectionString: "/no/such/folder/state.db" }, "unable to open database file"],
])("%j is refused", async (metadata, message) => {
  await expect(open(metadata)).rejects.toThrow(message);
});

test("expired rows are deleted, by one sidecar at a time", async () => {
  const one = await open({ cleanupInterval: "60s" });
  const two = await open({ cleanupInterval: "60s" });
  for (let index = 0; index < 20; index += 1) {
    await one.set(set(`k${index}`, "1", { metadata: index < 15 ? { ttlInSeconds: "10" } : {} }));
  }
  clock.advance(60_000);
  await said("Removed 15 expired rows");
  await said("Last cleanup was performed too recently");
  expect(rows("SELECT count(*) FROM state").flat()).toEqual([5]);
  await two.set(set("late", "1", { metadata: { ttlInSeconds: "1" } }));
  clock.advance(60_000);
  await said("Removed 1 expired rows");
});

/** By the thread that writes. */
async function said(text: string): Promise<void> {
  await vi.waitFor(() => expect(logger.said(text)).toBe(true), { timeout: 8_000 });
}

test.each([
  ["soon", 'strconv.ParseInt: parsing "soon": invalid syntax'],
  ["99999999999999999999", 'strconv.ParseInt: parsing "99999999999999999999": value out of range'],
  ["-2", "must be -1 or greater"],
  ["2147483648", "must be -1 or greater"],
])("the ttl %s is refused in Dapr's words", async (ttlInSeconds, why) => {
  const store = await open();
  await expect(store.set(set("k", "1", { metadata: { ttlInSeconds } }))).rejects.toMatchObject({
    kind: "invalidRequest",
    message: `error parsing TTL: incorrect value for metadata 'ttlInSeconds': ${why}`,
  });
});

test("etag errors are in Dapr's words, and so are missing keys", async () => {
  const store = await open();
  await expect(store.set(set("k", "1", { etag: "x" }))).rejects.toMatchObject({
    kind: "etagMismatch",
    message: "possible etag mismatch. error from state store",
  });
  await expect(store.set(set("", "1"))).rejects.toThrow("missing key in set option");
  await expect(store.get(get(""))).rejects.toThrow("missing key in get operation");
  await expect(store.delete(set("", ""))).rejects.toThrow("missing key in delete operation");
});

test("keys of a table larger than one slice are all found, page by page", async () => {
  const store = await open();
  const count = 2_500;
  const key = (index: number) => `k${String(index).padStart(4, "0")}`;
  await Promise.all(Array.from({ length: count }, (_, index) => store.set(set(key(index), "1"))));
  const all = await store.keysLike({ pattern: "k%", continuationToken: undefined, pageSize: undefined });
  expect(all.keys).toHaveLength(count);
  expect(all.continuationToken).toBeUndefined();
  const last = await store.keysLike({ pattern: "k249_", continuationToken: undefined, pageSize: 10 });
  expect(last).toEqual({
    keys: Array.from({ length: 10 }, (_, index) => key(2_490 + index)),
    continuationToken: undefined,
  });
  await expect(store.keysLike({ pattern: "k", continuationToken: "x", pageSize: 1 })).rejects.toMatchObject({
    kind: "invalidRequest",
  });
});

test("what was saved outlives the store", async () => {
  const first = await open();
  await Promise.all(Array.from({ length: 100 }, (_, index) => first.set(set(`k${index}`, String(index)))));
  await first.close();
  const items = await (await open()).bulkGet(Array.from({ length: 100 }, (_, index) => get(`k${index}`)));
  expect(items.map(({ item }) => Buffer.from(item?.data ?? []).toString())).toEqual(
    Array.from({ length: 100 }, (_, index) => String(index)),
  );
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { systemRandom } from "../../kit/random.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ConfigurationItems, ConfigurationStore } from "../spi/configuration.ts";
import { CONFIGURATION_ITEMS_MAX, createSqliteConfigurationStore } from "./configuration.ts";

let folder = "";
let clock: VirtualClock;
const opened: ConfigurationStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outrigger-configuration-"));
  clock = new VirtualClock();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  rmSync(folder, { recursive: true });
});

async function start(metadata: Readonly<Record<string, string>> = {}): Promise<ConfigurationStore> {
  const store = createSqliteConfigurationStore({
    name: "settings",
    appId: "app",
    namespace: "",
    logger: silentLogger,
    clock,
    random: systemRandom,
    environment: {},
    report() {},
    shared: { acquire: (_, create) => create() },
  });
  opened.push(store);
  await store.init({ connectionString: join(folder, "a.db"), ...metadata }, new AbortController().signal);
  return store;
}

function edit(script: string): void {
  const database = new DatabaseSync(join(folder, "a.db"));
  database.exec(script);
  database.close();
}

const get = (store: ConfigurationStore, ...keys: string[]) => store.get({ keys, metadata: {} });

test("metadata is a JSON object of texts; what is none counts for nothing", async () => {
  const store = await start();
  edit(`INSERT INTO configuration (key, value, version, metadata) VALUES
    ('a', '1', '1', '{"owner":"me","n":1}'), ('b', '2', '', '[1]'), ('c', 3, 4, 'no json'), ('d', '', '', NULL)`);
  expect(await get(store)).toEqual({
    a: { value: "1", version: "1", metadata: { owner: "me", n: "1" } },
    b: { value: "2", version: "", metadata: {} },
    c: { value: "3", version: "4", metadata: {} },
    d: { value: "", version: "", metadata: {} },
  });
});

test("a table that is there already is taken over, its changes are noticed without a new version", async () => {
  edit(
    "CREATE TABLE mine (key TEXT PRIMARY KEY, value TEXT, version TEXT, metadata TEXT); INSERT INTO mine VALUES ('a', '1', '1', NULL)",
  );
  const store = await start({ tableName: "mine" });
  const told: ConfigurationItems[] = [];
  await store.subscribe({ keys: [], metadata: {} }, (items) => void told.push(items));
  edit("UPDATE mine SET value = '2'; INSERT INTO mine VALUES ('b', 'x', '1', NULL)");
  clock.advance(99);
  expect(told).toEqual([]);
  clock.advance(1);
  edit("UPDATE mine SET value = value");
  clock.advance(100);
  edit("DELETE FROM mine WHERE key = 'a'");
  clock.advance(100);
  expect(told).toEqual([
    { a: { value: "2", version: "1", metadata: {} }, b: { value: "x", version: "1", metadata: {} } },
    { a: { value: "", version: "", metadata: {} } },
  ]);
});

test("initial items are there when their key is missing, at every start, and are no change", async () => {
  edit("CREATE TABLE configuration (key TEXT PRIMARY KEY, value TEXT, version TEXT, metadata TEXT)");
  edit("INSERT INTO configuration VALUES ('a', 'edited', '7', NULL)");
  const metadata = { initialItems: '{"a": "1", "b": "it\'s \\"2\\""}' };
  const store = await start(metadata);
  const b = { value: 'it\'s "2"', version: "1", metadata: {} };
  expect(await get(store)).toEqual({ a: { value: "edited", version: "7", metadata: {} }, b });
  const told: ConfigurationItems[] = [];
  await store.subscribe({ keys: [], metadata: {} }, (items) => void told.push(items));
  clock.advance(100);
  expect(told).toEqual([]);
  edit("DELETE FROM configuration WHERE key = 'b'; UPDATE configuration SET value = 'again' WHERE key = 'a'");
  expect(await get(await start(metadata))).toEqual({ a: { value: "again", version: "7", metadata: {} }, b });
});

test("more items than one answer holds are refused with the limit", async () => {
  const store = await start();
  edit(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${CONFIGURATION_ITEMS_MAX})
    INSERT INTO configuration (key, value) SELECT 'k' || i, '' FROM n`);
  await expect(get(store)).rejects.toMatchObject({
    kind: "invalidRequest",
    message: "component settings holds more than 10000 items: ask for them by their keys",
  });
  expect(Object.keys(await get(store, "k1", "k10000"))).toEqual(["k1", "k10000"]);
});

test.each([
  [{ tableName: "a b" }, "invalid identifier for table name: a b"],
  [
    { initialItems: "[]" },
    'metadata field "initialItems" of component settings must be a JSON object like {"key": "value"}',
  ],
  [
    { initialItems: "{" },
    'metadata field "initialItems" of component settings must be a JSON object like {"key": "value"}',
  ],
  [
    { initialItems: '{"a": 1}' },
    'metadata field "initialItems" of component settings must hold texts: put the value of "a" in quotes',
  ],
  [
    { initialItems: JSON.stringify(Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`k${n}`, ""]))) },
    'metadata field "initialItems" of component settings holds 10001 items, but at most 10000 are possible',
  ],
  [{ pollInterval: "0s" }, 'metadata field "pollInterval" of component settings must be above 0'],
])("%j is refused", async (metadata, message) => {
  await expect(start(metadata)).rejects.toMatchObject({ kind: "invalidMetadata", message });
});

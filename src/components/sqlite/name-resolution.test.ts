import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Logger } from "../../kit/logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { componentDeps } from "../spi/component-deps.fixture.ts";
import type { Instance, NameResolver } from "../spi/name-resolution.ts";
import { createSqliteNameResolver } from "./name-resolution.ts";

let folder = "";
let clock: VirtualClock;
let lines: string[];
const opened: NameResolver[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outrigger-names-"));
  clock = new VirtualClock();
  lines = [];
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((resolver) => resolver.close()));
  rmSync(folder, { recursive: true });
});

async function start(metadata: Readonly<Record<string, string>> = {}): Promise<NameResolver> {
  const note = (message: string): void => void lines.push(message);
  const logger: Logger = {
    debug: note,
    info: note,
    warn: note,
    error: note,
    fatal: note,
    enabled: () => true,
    scope: () => logger,
  };
  const resolver = createSqliteNameResolver(componentDeps({ name: "sqlite", logger, clock }));
  opened.push(resolver);
  await resolver.init({ connectionString: join(folder, "names.db"), ...metadata }, new AbortController().signal);
  return resolver;
}

function instance(internalGrpcPort: number, appId = "app", address = "127.0.0.1"): Instance {
  return { appId, namespace: "any", address, internalGrpcPort, httpPort: 1 };
}

function edit(sql: string, ...values: (string | number)[]): Record<string, unknown>[] {
  const database = new DatabaseSync(join(folder, "names.db"), { timeout: 2_000 });
  try {
    return database.prepare(sql).all(...values);
  } finally {
    database.close();
  }
}

const seconds = (): number => Math.floor(clock.now() / 1_000);
const hosts = () => edit("SELECT address, app_id, namespace, last_update FROM hosts ORDER BY address");
const resolve = (resolver: NameResolver, appId: string): Promise<string> => resolver.resolve({ appId, namespace: "x" });
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5_000, interval: 2 });

test("an announced sidecar is found by others on the file, whatever their namespace, and gone when it is closed", async () => {
  const [one, asker] = [await start(), await start()];
  await one.announce(instance(5001));
  expect(await resolve(asker, "app")).toBe("127.0.0.1:5001");
  expect(hosts()).toEqual([{ address: "127.0.0.1:5001", app_id: "app", namespace: "", last_update: seconds() }]);
  await one.close();
  await expect(resolve(asker, "app")).rejects.toMatchObject({
    kind: "notFound",
    message: "no host found with the given ID",
  });
});

test("the tables are those of Dapr's component", async () => {
  await start({ tableName: "h1", metadataTableName: "m1" });
  expect(edit("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")).toEqual(
    ["h1", "h1_address_idx", "h1_last_update_idx", "m1"].map((name) => ({ name })),
  );
  expect(edit("SELECT key, value FROM m1")).toEqual([{ key: "nr-migrations", value: "1" }]);
});

test("an IPv6 address stands in brackets", async () => {
  const one = await start();
  await one.announce(instance(5001, "app", "::1"));
  expect(await resolve(one, "app")).toBe("[::1]:5001");
});

test("of several instances each is given out, expired ones are not", async () => {
  const asker = await start({ updateInterval: "120s" });
  for (const [address, age] of [
    ["1.1.1.1:1", 0],
    ["1.1.1.1:2", 119],
    ["1.1.1.1:3", 120],
  ] as const) {
    edit("INSERT INTO hosts VALUES (?, ?, 'app', '', ?)", address, address, seconds() - age);
  }
  const given = new Set<string>();
  for (let count = 0; count < 100; count += 1) {
    given.add(await resolve(asker, "app"));
  }
  expect([...given].toSorted()).toEqual(["1.1.1.1:1", "1.1.1.1:2"]);
});

describe("renewal", () => {
  test("comes before the registration is out of date", async () => {
    const one = await start();
    await one.announce(instance(5001));
    for (let round = 0; round < 5; round += 1) {
      clock.advance(4_000);
      await soon(() => expect(hosts()).toMatchObject([{ last_update: seconds() }]));
      expect(await resolve(one, "app")).toBe("127.0.0.1:5001");
    }
  });

  test("leaves a write that is late time enough", async () => {
    const one = await start();
    await one.announce(instance(5001));
    const announced = seconds();
    clock.advance(2_000);
    await soon(() => expect(hosts()).toMatchObject([{ last_update: announced + 2 }]));
    // Five seconds after the announcement the write of the second renewal may still be under way.
    edit("UPDATE hosts SET last_update = ?", announced + 2);
    clock.advance(3_000);
    edit("UPDATE hosts SET last_update = ?", announced + 2);
    expect(await resolve(one, "app")).toBe("127.0.0.1:5001");
  });

  test("makes a registration again that somebody removed", async () => {
    const one = await start();
    await one.announce(instance(5001));
    edit("DELETE FROM hosts");
    clock.advance(4_000);
    await soon(() => expect(hosts()).toMatchObject([{ address: "127.0.0.1:5001", last_update: seconds() }]));
    await soon(() => expect(lines).toContain("host registration lost: it has been made again"));
  });

  test("leaves the address to the sidecar that has it now", async () => {
    const one = await start();
    await one.announce(instance(5001, "first"));
    const two = await start();
    await two.announce(instance(5001, "second"));
    clock.advance(4_000);
    await soon(() => expect(lines).toContain("host registration lost: another sidecar has 127.0.0.1:5001 now"));
    await one.close();
    expect(hosts()).toMatchObject([{ app_id: "second" }]);
  });
});

test("the cleanup removes what has long been gone, once for all sidecars, and nothing that lives", async () => {
  const resolvers = [await start({ cleanupInterval: "60s" }), await start({ cleanupInterval: "60s" })];
  await resolvers[0]?.announce(instance(5001));
  edit("INSERT INTO hosts VALUES ('a', '1.1.1.1:1', 'gone', '', ?)", seconds() - 10);
  for (let round = 0; round < 14; round += 1) {
    clock.advance(4_000);
    await soon(() => expect(hosts()[0]).toMatchObject({ address: "1.1.1.1:1" }));
    await soon(() => expect(hosts()[1]).toMatchObject({ last_update: seconds() }));
  }
  clock.advance(4_000);
  await soon(() => expect(lines).toContain("Last cleanup was performed too recently"));
  await soon(() => expect(hosts()).toMatchObject([{ address: "127.0.0.1:5001" }]));
  expect(lines.filter((line) => line === "Removed 1 expired rows")).toHaveLength(1);
});

test.each([
  [{ connectionString: "" }, "missing connection string"],
  [{ tableName: "a b" }, "invalid identifier for table name: a b"],
  [{ metadataTableName: "a;b" }, "invalid identifier for metadata table name: a;b"],
  [{ updateInterval: "1500ms" }, "update interval must not contain fractions of seconds"],
  [{ updateInterval: "1s" }, "update interval must be at least 1s greater than timeout"],
  [{ timeout: "500ms" }, "invalid value for 'timeout': must be greater than 1s"],
])("%j is refused", async (metadata, message) => {
  await expect(start(metadata)).rejects.toMatchObject({ kind: "invalidMetadata", message });
});

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Engine, EngineOptions, Step } from "./engine.ts";
import { WAITING_WRITES_MAX } from "./limits.ts";
import { openLocalEngine } from "./local-engine.ts";
import { openWorkerEngine } from "./worker-engine.ts";

const statements = {
  put: "INSERT INTO item (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  add: "INSERT INTO item (key, value) VALUES (?, ?)",
  change: "UPDATE item SET value = ? WHERE key = ?",
  take: "DELETE FROM item WHERE key = ? RETURNING key, value",
  get: "SELECT value FROM item WHERE key = ?",
  all: "SELECT key FROM item ORDER BY key",
} as const;
type Name = keyof typeof statements;

const migrations = ["CREATE TABLE item (key TEXT NOT NULL PRIMARY KEY, value)"];

let folder = "";
const opened: Engine<Name>[] = [];

function optionsOf(file: string): EngineOptions<Name> {
  return {
    file: join(folder, file),
    journal: "wal",
    busyTimeoutMs: 2_000,
    pragmas: [],
    schema: { metadataTable: "metadata", key: "migrations", migrations },
    statements,
  };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outrigger-engine-"));
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
  rmSync(folder, { recursive: true });
});

const forms = [
  ["a thread of its own", openWorkerEngine],
  ["the same thread", async (options: EngineOptions<Name>) => openLocalEngine(options)],
] as const;

describe.each(forms)("an engine in %s", (_, open) => {
  async function start(file = "a.db"): Promise<Engine<Name>> {
    const engine = await open(optionsOf(file));
    opened.push(engine);
    return engine;
  }

  const put = (key: string, value: Step["params"][number]): Step<Name> => ({ statement: "put", params: [key, value] });

  test("reads what it has acknowledged, every kind of value", async () => {
    const engine = await start();
    const values = [
      "text é \u{1F600}",
      "",
      Uint8Array.of(0, 255, 7),
      new Uint8Array(),
      null,
      1.5,
      -7,
      9_007_199_254_740_991,
    ];
    for (const value of values) {
      await engine.write([put("k", value)]);
      expect(engine.read("get", ["k"])).toEqual([value]);
    }
    await engine.write([put("k", -(2n ** 40n))]);
    expect(engine.read("get", ["k"])).toEqual([-(2 ** 40)]);
    expect(engine.read("get", ["none"])).toBeUndefined();
  });

  test("says what each step did", async () => {
    const engine = await start();
    expect(await engine.write([put("a", "1")])).toEqual({ changes: [1], rows: [[]] });
    expect(await engine.write([{ statement: "change", params: ["2", "none"] }])).toEqual({ changes: [0], rows: [[]] });
    expect(await engine.write([put("b", "1"), { statement: "take", params: ["a"] }])).toEqual({
      changes: [1, 1],
      rows: [[], [["a", "1"]]],
    });
    expect(await engine.write([{ statement: "take", params: ["b"] }])).toEqual({ changes: [1], rows: [[["b", "1"]]] });
    expect(await engine.write([])).toEqual({ changes: [], rows: [] });
  });

  test("undoes a write whose step changed nothing, and no other of its group", async () => {
    const engine = await start();
    const outcomes = await Promise.allSettled([
      engine.write([put("before", "1")]),
      engine.write([put("with", "1"), { statement: "change", params: ["2", "none"], mustChange: true }]),
      engine.write([{ statement: "take", params: ["none"], mustChange: true }]),
      engine.write([put("after", "1")]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({ reason: { name: "StepRefusedError", step: 1 } });
    expect(engine.readAll("all", [])).toEqual([["after"], ["before"]]);
    expect(engine.stats).toEqual({ writes: 4, groups: 1 });
  });

  test("undoes a write that SQLite refuses, and no other of its group", async () => {
    const engine = await start();
    const outcomes = await Promise.allSettled([
      engine.write([put("a", "1")]),
      engine.write([put("b", "1"), { statement: "add", params: ["a", "2"] }]),
      engine.write([{ statement: "add", params: ["a", "3"] }]),
      engine.write([put("c", "1")]),
    ]);
    expect(outcomes[1]).toMatchObject({ reason: { name: "StorageError", kind: "sqlite", code: 1555 } });
    expect(outcomes[2]).toMatchObject({ reason: { name: "StorageError", kind: "sqlite", code: 1555 } });
    expect(engine.readAll("all", [])).toEqual([["a"], ["c"]]);
    expect(engine.read("get", ["a"])).toEqual(["1"]);
  });

  test("keeps the order of the calls and shares commits between them", async () => {
    const engine = await start();
    await Promise.all(Array.from({ length: 500 }, (_unused, index) => engine.write([put("k", index)])));
    expect(engine.read("get", ["k"])).toEqual([499]);
    expect(engine.stats.writes).toBe(500);
    expect(engine.stats.groups).toBeLessThan(20);
  });

  test("copies what it is given", async () => {
    const engine = await start();
    const value = Uint8Array.of(1, 2, 3);
    const written = engine.write([put("k", value)]);
    value.fill(9);
    await written;
    expect(engine.read("get", ["k"])).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  test("finds everything again, and what waits at close is written", async () => {
    const engine = await start();
    const written = engine.write([put("k", "1")]);
    await engine.close();
    await engine.close();
    await written;
    await expect(engine.write([put("k", "2")])).rejects.toMatchObject({ kind: "closed" });
    expect(() => engine.read("get", ["k"])).toThrow("closed");
    expect((await start()).read("get", ["k"])).toEqual(["1"]);
  });

  test("refuses more than may wait, naming the limit", async () => {
    const engine = await start();
    const outcomes = await Promise.allSettled(
      Array.from({ length: WAITING_WRITES_MAX + 2 }, () => engine.write([put("k", null)])),
    );
    const refused = outcomes.filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({
      reason: { kind: "overloaded", message: expect.stringContaining(`${WAITING_WRITES_MAX} are waiting`) as unknown },
    });
  });

  test("a name that it does not know is the caller's mistake and leaves nothing behind", async () => {
    const engine = await start();
    const wrong = { statement: "nothing" as Name, params: [] };
    await expect(engine.write([put("a", "1"), wrong])).rejects.toThrow(RangeError);
    await engine.write([put("b", "1")]);
    expect(engine.readAll("all", [])).toEqual([["b"]]);
  });

  test("a file that cannot be opened says why", async () => {
    await expect((async () => open(optionsOf("no/such/folder.db")))()).rejects.toMatchObject({
      name: "StorageError",
      message: "unable to open database file",
    });
  });

  test("several engines may make one new file at once", async () => {
    const engines = await Promise.all(Array.from({ length: 4 }, () => start()));
    await Promise.all(engines.map((engine, index) => engine.write([put(`k${index}`, index)])));
    expect(engines.map((engine) => engine.readAll("all", []).length)).toEqual([4, 4, 4, 4]);
  });

  test("two engines on one file do not lose each other's writes", async () => {
    const [one, two] = [await start(), await start()];
    await Promise.all(
      Array.from({ length: 50 }, (_unused, index) =>
        (index % 2 === 0 ? one : two).write([put(String(index).padStart(2, "0"), index)]),
      ),
    );
    expect(one.readAll("all", [])).toHaveLength(50);
    expect(two.readAll("all", [])).toHaveLength(50);
  });
});

test("waits to set the journal of a file that another process is making", async () => {
  const file = join(folder, "made.db");
  const other = new Worker(
    `const { workerData: file, parentPort } = require("node:worker_threads");
    const database = new (require("node:sqlite").DatabaseSync)(file);
    database.exec("CREATE TABLE other (key TEXT); BEGIN IMMEDIATE");
    parentPort.postMessage("held");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    database.exec("COMMIT");
    database.close();`,
    { eval: true, workerData: file },
  );
  await once(other, "message");
  const ended = once(other, "exit");
  const engine = openLocalEngine(optionsOf("made.db"));
  opened.push(engine);
  await ended;
  expect(engine.readAll("all", [])).toEqual([]);
});

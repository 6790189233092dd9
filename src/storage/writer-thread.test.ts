import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Engine, EngineOptions, Step } from "./engine.ts";
import { openWorkerEngine } from "./worker-engine.ts";
import { spawnWriter } from "./writer-thread.ts";

type Name = "put" | "all";

let folder = "";
let workers: Worker[] = [];
let engine: Engine<Name>;

const put = (key: string): Step<Name>[] => [{ statement: "put", params: [key] }];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "outrigger-writer-"));
  workers = [];
  const options: EngineOptions<Name> = {
    file: join(folder, "a.db"),
    journal: "wal",
    busyTimeoutMs: 2_000,
    pragmas: [],
    schema: { metadataTable: "metadata", key: "migrations", migrations: ["CREATE TABLE item (key TEXT PRIMARY KEY)"] },
    statements: { put: "INSERT INTO item VALUES (?)", all: "SELECT key FROM item ORDER BY key" },
  };
  engine = await openWorkerEngine(options, (data) => {
    const worker = spawnWriter(data);
    workers.push(worker);
    return worker;
  });
});

afterEach(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

test("a thread that dies takes the writes under way with it, and the next write starts another", async () => {
  await engine.write(put("before"));
  const underWay = ["a", "b", "c"].map((key) => engine.write(put(key)));
  await workers[0]?.terminate();
  for (const write of underWay) {
    await expect(write).rejects.toMatchObject({ kind: "unknown-outcome" });
  }
  await engine.write(put("after"));
  await engine.write(put("last"));
  expect(workers).toHaveLength(2);
  const keys = engine.readAll("all", []).flat();
  expect(keys).toEqual(expect.arrayContaining(["before", "after", "last"]));
});

test("outcomes go to their own writes after a thread has died between two turns", async () => {
  const died = workers[0]?.terminate();
  const results = await Promise.allSettled(["a", "b", "a", "c"].map((key) => engine.write(put(key))));
  await died;
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected", "rejected"]);
  await engine.write(put("x"));
  await expect(engine.write(put("x"))).rejects.toMatchObject({ kind: "sqlite" });
  await engine.write(put("y"));
});

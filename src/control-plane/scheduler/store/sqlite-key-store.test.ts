import { afterEach, describe, expect, it } from "vitest";
import type { Engine } from "../../../storage/engine.ts";
import { StorageError } from "../../../storage/errors.ts";
import { openLocalEngine } from "../../../storage/local-engine.ts";
import type { KeyChange } from "./key-store.ts";
import { prefixRange, rangeAfter } from "./keys.ts";
import { SqliteKeyStore } from "./sqlite-key-store.ts";
import { type KeyStatement, memoryStoreOptions } from "./sqlite-schema.ts";

const ROOM_BYTES = 1_000;

const opened: SqliteKeyStore[] = [];

function engine(): Engine<KeyStatement> {
  return openLocalEngine(memoryStoreOptions());
}

function open(on = engine(), bytesMax = ROOM_BYTES): SqliteKeyStore {
  const store = new SqliteKeyStore(on, bytesMax);
  opened.push(store);
  return store;
}

function put(key: string, text = "value", lease = 0) {
  return { kind: "put", key, value: Buffer.from(text), lease } as const;
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

describe("commits", () => {
  it("have growing revisions, which keys remember", async () => {
    const store = open();
    const first = await store.commit({ apply: [put("a"), put("b")] });
    const second = await store.commit({ apply: [put("a", "new", 7)] });
    expect(second.revision).toBe(first.revision + 1);
    expect(store.revision).toBe(second.revision);
    expect(await store.get("a")).toEqual({
      key: "a",
      value: bytes("new"),
      createRevision: first.revision,
      modRevision: second.revision,
      version: 2,
      lease: 7,
    });
    expect((await store.get("b"))?.version).toBe(1);
  });

  it("take one branch or the other", async () => {
    const store = open();
    const absent = [{ key: "a", modRevision: 0 }];
    const both = { conditions: absent, apply: [put("a", "first")], otherwise: [put("b", "second")] };
    expect((await store.commit(both)).succeeded).toBe(true);
    expect((await store.commit(both)).succeeded).toBe(false);
    expect((await store.get("a"))?.value).toEqual(bytes("first"));
    expect((await store.get("b"))?.value).toEqual(bytes("second"));
  });

  it("are decided against those that are still on their way", async () => {
    const store = open();
    const conditions = [{ key: "a", modRevision: 0 }];
    const results = await Promise.all([1, 2, 3].map((n) => store.commit({ conditions, apply: [put("a", String(n))] })));
    expect(results.map(({ succeeded }) => succeeded)).toEqual([true, false, false]);
    expect((await store.get("a"))?.value).toEqual(bytes("1"));
  });

  it("that change nothing have no revision of their own, and wait for what they were decided on", async () => {
    const store = open();
    const writing = store.commit({ apply: [put("a")] });
    const refused = store.commit({ conditions: [{ key: "a", modRevision: 0 }], apply: [put("a")] });
    expect((await refused).revision).toBe((await writing).revision);
    expect((await store.commit({ apply: [{ kind: "delete", key: "none" }] })).deleted).toEqual([0]);
    expect(store.revision).toBe((await writing).revision);
  });

  it("delete ranges together with what is on its way into them", async () => {
    const store = open();
    await store.commit({ apply: [put("jobs/a"), put("jobs/b"), put("other")] });
    const writing = store.commit({ apply: [put("jobs/c")] });
    const { deleted } = await store.commit({ apply: [{ kind: "delete range", range: prefixRange("jobs/") }] });
    await writing;
    expect(deleted).toEqual([3]);
    expect(await store.count(prefixRange(""))).toBe(1);
  });

  it("tell who watches, in order and before they resolve", async () => {
    const store = open();
    const heard: [string, number][] = [];
    const tell = (changes: readonly KeyChange[], revision: number): void => {
      for (const change of changes) {
        heard.push([change.kind === "put" ? `+${change.kv.key}` : `-${change.key}`, revision]);
      }
    };
    const stop = store.watch(tell);
    await Promise.all([
      store.commit({ apply: [put("a"), put("b")] }),
      store.commit({ apply: [{ kind: "delete", key: "a" }] }),
    ]);
    expect(heard).toEqual([
      ["+a", 2],
      ["+b", 2],
      ["-a", 3],
    ]);
    stop();
    await store.commit({ apply: [put("c")] });
    expect(heard).toHaveLength(3);
  });

  it("are decided again when one that they counted on fails on the disk", async () => {
    const real = engine();
    let failures = 0;
    const failing: Engine<KeyStatement> = {
      ...real,
      stats: real.stats,
      read: (statement, params) => real.read(statement, params),
      readAll: (statement, params) => real.readAll(statement, params),
      close: () => real.close(),
      write: async (steps) => {
        failures += 1;
        if (failures === 1) {
          throw new StorageError("sqlite", "disk I/O error");
        }
        return await real.write(steps);
      },
    };
    const store = open(failing);
    const broken = store.commit({ apply: [put("a", "lost")] });
    const other = store.commit({ conditions: [{ key: "c", modRevision: 0 }], apply: [put("c", "kept")] });
    const leaning = store.commit({
      conditions: [{ key: "a", modRevision: 0 }],
      apply: [put("b", "free")],
      otherwise: [put("b", "taken")],
    });
    await expect(broken).rejects.toMatchObject({ kind: "failed" });
    expect((await other).succeeded).toBe(true);
    expect((await leaning).succeeded).toBe(true);
    expect(await store.get("a")).toBeUndefined();
    expect((await store.get("b"))?.value).toEqual(bytes("free"));
  });
});

it("a refusal that rests on a commit which then fails is thought over", async () => {
  const real = engine();
  let writes = 0;
  const store = open({
    stats: real.stats,
    read: (statement, params) => real.read(statement, params),
    readAll: (statement, params) => real.readAll(statement, params),
    close: () => real.close(),
    write: async (steps) => {
      writes += 1;
      if (writes === 1) {
        throw new StorageError("sqlite", "disk I/O error");
      }
      return await real.write(steps);
    },
  });
  const conditions = [{ key: "a", modRevision: 0 }];
  const [broken, second] = await Promise.allSettled([
    store.commit({ conditions, apply: [put("a", "lost")] }),
    store.commit({ conditions, apply: [put("a", "kept")] }),
  ]);
  expect(broken.status).toBe("rejected");
  expect(second).toMatchObject({ status: "fulfilled", value: { succeeded: true } });
});

describe("room", () => {
  it("ends at the quota, except for what is essential, and is counted by bytes", async () => {
    const store = open();
    await store.commit({ apply: [put("a", "x".repeat(600))] });
    expect(store.bytes).toBe(601);
    await expect(store.commit({ apply: [put("b", "x".repeat(600))] })).rejects.toMatchObject({ kind: "no space" });
    await store.commit({ apply: [put("b", "x".repeat(600))], essential: true });
    expect(store.bytes).toBe(1_202);
    await store.commit({ apply: [{ kind: "delete range", range: prefixRange("") }] });
    expect(store.bytes).toBe(0);
  });
});

describe("ranges", () => {
  it("are in the order of bytes, in pages", async () => {
    const store = open();
    const keys = ["p/a", "p/b", "p/\u{1f600}", "p/\uffee", "q"];
    await store.commit({ apply: keys.map((key) => put(key)) });
    const range = prefixRange("p/");
    const first = await store.list(range, { limit: 2 });
    expect(first.map(({ key }) => key)).toEqual(["p/a", "p/b"]);
    const rest = await store.list(rangeAfter(range, "p/b"), { limit: 10, keysOnly: true });
    expect(rest.map(({ key }) => key)).toEqual(["p/\uffee", "p/\u{1f600}"]);
    expect(rest.every(({ value }) => value.length === 0)).toBe(true);
    expect(await store.count(range)).toBe(4);
    expect(await store.count({ from: Buffer.from("p/b"), to: undefined })).toBe(4);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Follower, KeyStore } from "../../src/control-plane/scheduler/store/key-store.ts";
import { prefixRange, rangeAfter } from "../../src/control-plane/scheduler/store/keys.ts";
import { until } from "../harness/until.ts";

function put(key: string, text = "value") {
  return { kind: "put", key, value: Buffer.from(text) } as const;
}

function textOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}

/** Remembers what it is told, as text. */
class Listener implements Follower {
  readonly told: string[] = [];
  readonly present = new Map<string, string>();

  begin(): void {
    this.told.push("begin");
    this.present.clear();
  }

  page(kvs: Parameters<Follower["page"]>[0]): void {
    for (const { key, value } of kvs) {
      this.present.set(key, textOf(value) ?? "");
    }
  }

  synced(): void {
    this.told.push("synced");
  }

  changed(changes: Parameters<Follower["changed"]>[0], revision: number): void {
    for (const change of changes) {
      if (change.kind === "put") {
        this.told.push(`+${change.kv.key}@${change.kv.modRevision - revision}`);
        this.present.set(change.kv.key, textOf(change.kv.value) ?? "");
      } else {
        this.told.push(`-${change.key}`);
        this.present.delete(change.key);
      }
    }
  }
}

/** What every store beneath a scheduler does. @param open gives an empty one */
export function keyStoreConformance(open: () => Promise<KeyStore>): void {
  let store: KeyStore;

  beforeEach(async () => {
    store = await open();
  });

  afterEach(() => store.close());

  describe("commits", () => {
    it("have growing revisions, which keys remember", async () => {
      const first = await store.commit({ apply: [put("a"), put("b")] });
      const second = await store.commit({ apply: [put("a", "new")] });
      expect(second.revision).toBe(first.revision + 1);
      expect(store.revision).toBe(second.revision);
      const kv = await store.get("a");
      expect({ ...kv, value: textOf(kv?.value) }).toEqual({
        key: "a",
        value: "new",
        createRevision: first.revision,
        modRevision: second.revision,
        version: 2,
        lease: 0,
      });
      expect((await store.get("b"))?.version).toBe(1);
      expect(await store.get("c")).toBeUndefined();
    });

    it("take one branch or the other", async () => {
      const commit = {
        conditions: [{ key: "a", modRevision: 0 }],
        apply: [put("a", "first")],
        otherwise: [put("b", "second")],
      };
      expect((await store.commit(commit)).succeeded).toBe(true);
      expect((await store.commit(commit)).succeeded).toBe(false);
      expect(textOf((await store.get("a"))?.value)).toBe("first");
      expect(textOf((await store.get("b"))?.value)).toBe("second");
    });

    it("ask for the revision of every key", async () => {
      const { revision } = await store.commit({ apply: [put("a"), put("b")] });
      const conditions = [
        { key: "a", modRevision: revision },
        { key: "b", modRevision: revision },
      ];
      expect((await store.commit({ conditions, apply: [put("a", "2")] })).succeeded).toBe(true);
      expect((await store.commit({ conditions, apply: [put("a", "3")] })).succeeded).toBe(false);
      expect(textOf((await store.get("a"))?.value)).toBe("2");
    });

    it("let one of several at the same time succeed", async () => {
      const conditions = [{ key: "a", modRevision: 0 }];
      const results = await Promise.all(
        [1, 2, 3, 4].map((n) => store.commit({ conditions, apply: [put("a", String(n))] })),
      );
      expect(results.filter(({ succeeded }) => succeeded)).toHaveLength(1);
    });

    it("that change nothing have no revision of their own", async () => {
      const { revision } = await store.commit({ apply: [put("a")] });
      const nothing = await store.commit({ apply: [{ kind: "delete", key: "none" }] });
      expect(nothing).toEqual({ succeeded: true, revision, deleted: [0] });
    });

    it("delete keys and ranges, and say how many", async () => {
      await store.commit({ apply: [put("jobs/a"), put("jobs/b"), put("jobs/c"), put("other")] });
      const { deleted } = await store.commit({
        apply: [
          { kind: "delete", key: "other" },
          { kind: "delete range", range: prefixRange("jobs/") },
        ],
      });
      expect(deleted).toEqual([1, 3]);
      expect(await store.count(prefixRange(""))).toBe(0);
    });
  });

  describe("ranges", () => {
    it("are in the order of bytes, in pages", async () => {
      const keys = ["p/a", "p/b", "p/\u{1f600}", "p/\uffee", "q"];
      await store.commit({ apply: keys.map((key) => put(key)) });
      const range = prefixRange("p/");
      expect((await store.list(range, { limit: 2 })).map(({ key }) => key)).toEqual(["p/a", "p/b"]);
      const rest = await store.list(rangeAfter(range, "p/b"), { limit: 10, keysOnly: true });
      expect(rest.map(({ key }) => key)).toEqual(["p/\uffee", "p/\u{1f600}"]);
      expect(rest.every(({ value }) => value.length === 0)).toBe(true);
      expect(await store.count(range)).toBe(4);
      expect(await store.count({ from: Buffer.from("p/b"), to: undefined })).toBe(4);
    });
  });

  describe("who follows a range", () => {
    it("is told what is there, then every change in its order, and of nothing else", async () => {
      await store.commit({ apply: [put("p/a"), put("q/a")] });
      const listener = new Listener();
      const following = store.follow(prefixRange("p/"), listener);
      await following.synced;
      expect(listener.told).toEqual(["begin", "synced"]);
      await store.commit({ apply: [put("p/b"), put("q/b")] });
      await store.commit({ apply: [put("p/a", "new"), { kind: "delete", key: "p/b" }] });
      await until("all changes are told", () => listener.told.length === 5);
      expect(listener.told.slice(2)).toEqual(["+p/b@0", "+p/a@0", "-p/b"]);
      expect([...listener.present]).toEqual([["p/a", "new"]]);
      following.end();
      await store.commit({ apply: [put("p/c")] });
      expect(await store.count(prefixRange("p/"))).toBe(2);
      expect(listener.told).toHaveLength(5);
    });

    it("misses nothing that is written meanwhile, over many pages", async () => {
      const many = Array.from({ length: 2_500 }, (_, index) => `p/${String(index).padStart(5, "0")}`);
      // etcd takes 128 operations at a time where nobody asks for more.
      for (let at = 0; at < many.length; at += 100) {
        await store.commit({ apply: many.slice(at, at + 100).map((key) => put(key)) });
      }
      const listener = new Listener();
      const following = store.follow(prefixRange("p/"), listener);
      const writes: Promise<unknown>[] = [];
      for (const key of many.slice(0, 200)) {
        writes.push(store.commit({ apply: [put(key, "new"), { kind: "delete", key: `p/02${key.slice(-3)}` }] }));
      }
      await Promise.all(writes);
      await following.synced;
      await until("all is known", () => listener.present.size === 2_300);
      const stored = await store.list(prefixRange("p/"), { limit: 5_000 });
      expect(new Map(stored.map(({ key, value }) => [key, textOf(value)]))).toEqual(listener.present);
      following.end();
    });
  });
}

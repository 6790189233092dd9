import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ComponentDeps, ComponentManifest, ComponentMetadata } from "../../src/components/spi/component.ts";
import { ComponentError } from "../../src/components/spi/errors.ts";
import type {
  StateDeleteRequest,
  StateGetRequest,
  StateOperation,
  StateSetRequest,
  StateStore,
} from "../../src/components/spi/state.ts";
import { type CapabilityMethods, capabilitySections } from "./sections.ts";

/** How a back end is brought up for the suite. */
export interface StateConformance {
  readonly manifest: ComponentManifest<StateStore>;
  readonly deps: ComponentDeps;
  readonly metadata: ComponentMetadata;
  /** Lets time pass for the store: moves a virtual clock, or waits. */
  readonly elapse: (ms: number) => Promise<void>;
}

const METHODS: CapabilityMethods<StateStore> = {
  ETAG: [],
  TTL: [],
  TRANSACTIONAL: ["transact"],
  DELETE_WITH_PREFIX: ["deletePrefix"],
  KEYS_LIKE: ["keysLike"],
  LIST_KEYS: ["listKeys"],
  FENCED: ["transactFenced"],
};

let caseNumber = 0;

/** A prefix of keys that no other case uses, so that cases may share one real server. */
function freshPrefix(): string {
  caseNumber += 1;
  return `conformance-${process.pid}-${caseNumber}||`;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = (data: Uint8Array | undefined): string | undefined =>
  data === undefined ? undefined : Buffer.from(data).toString();

const getOf = (key: string): StateGetRequest => ({ key, metadata: {}, consistency: "" });

const setOf = (key: string, value: string, rest: Partial<StateSetRequest> = {}): StateSetRequest => ({
  key,
  value: bytes(value),
  valueIsJson: false,
  etag: undefined,
  metadata: {},
  concurrency: "",
  consistency: "",
  ...rest,
});

const deleteOf = (key: string, rest: Partial<StateDeleteRequest> = {}): StateDeleteRequest => ({
  key,
  etag: undefined,
  metadata: {},
  concurrency: "",
  consistency: "",
  ...rest,
});

const failing = (kind: ComponentError["kind"]): unknown => expect.objectContaining({ name: "ComponentError", kind });

/** The contract of a state store as cases; each section runs where the manifest declares its capability. */
export function stateConformance({ manifest, deps, metadata, elapse }: StateConformance): void {
  describe(`${manifest.type} keeps the contract of state stores`, () => {
    let store: StateStore;
    let prefix: string;

    /** A server removes what has expired when it comes to it. */
    const isGone = (key: string): Promise<void> =>
      vi.waitFor(async () => expect(await store.get(getOf(key))).toBeUndefined(), { timeout: 30_000 });
    const read = async (key: string): Promise<string | undefined> => textOf((await store.get(getOf(key)))?.data);

    beforeEach(async () => {
      store = (await manifest.load())(deps);
      await store.init(metadata, new AbortController().signal);
      prefix = freshPrefix();
    });

    afterEach(async () => {
      await store.close();
    });

    const section = capabilitySections(manifest, METHODS, () => store);

    test("a second close is harmless, and so is one without init", async () => {
      await store.close();
      await store.close();
      await (await manifest.load())(deps).close();
    });

    test("a key that was never written does not exist", async () => {
      expect(await store.get(getOf(`${prefix}k`))).toBeUndefined();
    });

    test("a value is read as it was written, JSON, text and bytes alike", async () => {
      await store.set(setOf(`${prefix}json`, '{"a":[1,"é"]}', { valueIsJson: true }));
      await store.set(setOf(`${prefix}text`, "not json"));
      const binary = Uint8Array.from({ length: 256 }, (_, index) => index);
      await store.set({ ...setOf(`${prefix}binary`, ""), value: binary });
      const json = textOf((await store.get(getOf(`${prefix}json`)))?.data) ?? "";
      expect(JSON.parse(json)).toEqual({ a: [1, "é"] });
      expect(await read(`${prefix}text`)).toBe("not json");
      expect(Uint8Array.from((await store.get(getOf(`${prefix}binary`)))?.data ?? [])).toEqual(binary);
    });

    test("a store does not follow what its caller does with the buffer afterwards", async () => {
      const value = Buffer.from("before");
      await store.set({ ...setOf(`${prefix}k`, ""), value });
      value.fill("x");
      expect(await read(`${prefix}k`)).toBe("before");
    });

    test("a write replaces, a delete removes, a second delete is fine", async () => {
      await store.set(setOf(`${prefix}k`, "1"));
      await store.set(setOf(`${prefix}k`, "2"));
      expect(await read(`${prefix}k`)).toBe("2");
      await store.delete(deleteOf(`${prefix}k`));
      expect(await read(`${prefix}k`)).toBeUndefined();
      await store.delete(deleteOf(`${prefix}k`));
    });

    test("keys hold any text and are told apart by it", async () => {
      const keys = ["a b", "a%20b", "é", "e\u0301", "\u{1F600}", "A B", "'", '"', "%", "_", "\\"].map(
        (key) => prefix + key,
      );
      for (const key of keys) {
        await store.set(setOf(key, `value of ${key}`));
      }
      for (const key of keys) {
        expect(await read(key)).toBe(`value of ${key}`);
      }
    });

    test("a bulk read, where there is one, answers in the order asked", async () => {
      await store.set(setOf(`${prefix}a`, "1"));
      await store.set(setOf(`${prefix}b`, "2"));
      const keys = [`${prefix}b`, `${prefix}none`, `${prefix}a`, `${prefix}b`];
      const items = await store.bulkGet?.(keys.map(getOf));
      if (items !== undefined) {
        expect(items.map(({ key, item }) => [key, textOf(item?.data)])).toEqual([
          [keys[0], "2"],
          [keys[1], undefined],
          [keys[2], "1"],
          [keys[3], "2"],
        ]);
      }
    });

    section("ETAG", () => {
      const etagOf = async (key: string): Promise<string> => (await store.get(getOf(key)))?.etag ?? "";

      test("every write changes the etag", async () => {
        await store.set(setOf(`${prefix}k`, "1"));
        const first = await etagOf(`${prefix}k`);
        await store.set(setOf(`${prefix}k`, "1"));
        expect(first).not.toBe("");
        expect(await etagOf(`${prefix}k`)).not.toBe(first);
      });

      test("the current etag writes and deletes, an old one does neither", async () => {
        await store.set(setOf(`${prefix}k`, "1"));
        const old = await etagOf(`${prefix}k`);
        await store.set(setOf(`${prefix}k`, "2", { etag: old }));
        await expect(store.set(setOf(`${prefix}k`, "3", { etag: old }))).rejects.toEqual(failing("etagMismatch"));
        await expect(store.delete(deleteOf(`${prefix}k`, { etag: old }))).rejects.toEqual(failing("etagMismatch"));
        expect(await read(`${prefix}k`)).toBe("2");
        await store.delete(deleteOf(`${prefix}k`, { etag: await etagOf(`${prefix}k`) }));
        expect(await read(`${prefix}k`)).toBeUndefined();
      });

      test("an etag for a key that does not exist is a mismatch", async () => {
        await store.set(setOf(`${prefix}k`, "1"));
        const etag = await etagOf(`${prefix}k`);
        await expect(store.set(setOf(`${prefix}none`, "1", { etag }))).rejects.toEqual(failing("etagMismatch"));
        await expect(store.delete(deleteOf(`${prefix}none`, { etag }))).rejects.toEqual(failing("etagMismatch"));
      });

      test("an empty etag is none", async () => {
        await store.set(setOf(`${prefix}k`, "1", { etag: "" }));
        await store.set(setOf(`${prefix}k`, "2", { etag: "", concurrency: "last-write" }));
        await store.delete(deleteOf(`${prefix}k`, { etag: "" }));
        expect(await read(`${prefix}k`)).toBeUndefined();
      });

      test("the first write wins when asked so", async () => {
        await store.set(setOf(`${prefix}k`, "1", { concurrency: "first-write" }));
        await expect(store.set(setOf(`${prefix}k`, "2", { concurrency: "first-write" }))).rejects.toEqual(
          failing("etagMismatch"),
        );
        await store.set(setOf(`${prefix}k`, "3", { concurrency: "first-write", etag: await etagOf(`${prefix}k`) }));
        expect(await read(`${prefix}k`)).toBe("3");
      });

      test("of writes at once with one etag a single one succeeds", async () => {
        await store.set(setOf(`${prefix}k`, "0"));
        const etag = await etagOf(`${prefix}k`);
        const outcomes = await Promise.allSettled(
          Array.from({ length: 8 }, (_, index) => store.set(setOf(`${prefix}k`, `${index}`, { etag }))),
        );
        expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      });
    });

    section("TTL", () => {
      test("an item expires, and tells when before it does", async () => {
        await store.set(setOf(`${prefix}k`, "1", { metadata: { ttlInSeconds: "3" } }));
        const item = await store.get(getOf(`${prefix}k`));
        expect(item?.metadata?.["ttlExpireTime"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
        await elapse(4_100);
        await isGone(`${prefix}k`);
      });

      test("a write without a ttl makes the item stay", async () => {
        await store.set(setOf(`${prefix}k`, "1", { metadata: { ttlInSeconds: "1" } }));
        await store.set(setOf(`${prefix}k`, "2"));
        await elapse(2_100);
        expect(await read(`${prefix}k`)).toBe("2");
        expect((await store.get(getOf(`${prefix}k`)))?.metadata?.["ttlExpireTime"]).toBeUndefined();
      });

      test("-1 means for ever", async () => {
        await store.set(setOf(`${prefix}k`, "1", { metadata: { ttlInSeconds: "-1" } }));
        await elapse(2_100);
        expect(await read(`${prefix}k`)).toBe("1");
      });

      test("an expired item counts as absent for the first write", async () => {
        await store.set(setOf(`${prefix}k`, "1", { metadata: { ttlInSeconds: "1" } }));
        await elapse(2_100);
        await isGone(`${prefix}k`);
        await store.set(setOf(`${prefix}k`, "2", { concurrency: "first-write" }));
        expect(await read(`${prefix}k`)).toBe("2");
      });

      test("a ttl that is no integer is refused and nothing is written", async () => {
        const request = setOf(`${prefix}k`, "1", { metadata: { ttlInSeconds: "soon" } });
        await expect(store.set(request)).rejects.toBeInstanceOf(ComponentError);
        expect(await read(`${prefix}k`)).toBeUndefined();
      });
    });

    section("TRANSACTIONAL", () => {
      test("all operations are done, in their order", async () => {
        await store.set(setOf(`${prefix}gone`, "1"));
        await store.transact?.(
          [
            { kind: "upsert", request: setOf(`${prefix}a`, "1") },
            { kind: "delete", request: deleteOf(`${prefix}gone`) },
            { kind: "upsert", request: setOf(`${prefix}b`, "1") },
            { kind: "upsert", request: setOf(`${prefix}b`, "2") },
          ],
          {},
        );
        expect([await read(`${prefix}a`), await read(`${prefix}gone`), await read(`${prefix}b`)]).toEqual([
          "1",
          undefined,
          "2",
        ]);
      });

      test("one that fails undoes all", async () => {
        await store.set(setOf(`${prefix}kept`, "1"));
        const etag = (await store.get(getOf(`${prefix}kept`)))?.etag;
        await store.set(setOf(`${prefix}kept`, "2"));
        const transaction = store.transact?.(
          [
            { kind: "upsert", request: setOf(`${prefix}new`, "1") },
            { kind: "delete", request: deleteOf(`${prefix}kept`, { etag }) },
          ],
          {},
        );
        await expect(transaction).rejects.toEqual(failing("etagMismatch"));
        expect([await read(`${prefix}new`), await read(`${prefix}kept`)]).toEqual([undefined, "2"]);
      });

      test("no operations are a success", async () => {
        await store.transact?.([], {});
      });
    });

    section("FENCED", () => {
      const commit = async (writes: readonly StateOperation[], expected: string | undefined, next: string) =>
        await store.transactFenced?.(
          writes,
          {
            key: `${prefix}fence`,
            expected: expected === undefined ? undefined : bytes(`"${expected}"`),
            next: bytes(`"${next}"`),
          },
          {},
        );
      const put = (key: string, value: string, rest: Partial<StateSetRequest> = {}): StateOperation => ({
        kind: "upsert",
        request: setOf(prefix + key, value, rest),
      });

      test("each transaction moves the fence on that the one before has left", async () => {
        await commit([put("a", "1")], undefined, "x-1");
        expect(await read(`${prefix}fence`)).toBe('"x-1"');
        await commit([put("a", "2"), put("b", "1")], "x-1", "x-2");
        await commit([{ kind: "delete", request: deleteOf(`${prefix}b`) }], "x-2", "x-3");
        expect([await read(`${prefix}a`), await read(`${prefix}b`), await read(`${prefix}fence`)]).toEqual([
          "2",
          undefined,
          '"x-3"',
        ]);
      });

      test.each([
        ["there is none yet, though one was expected", undefined, "x-1"],
        ["there is one already, though none was expected", "x-1", undefined],
        ["it holds something else", "x-1", "y-1"],
        ["it holds what begins alike", "x-10", "x-1"],
      ])("nothing is written where %s", async (_, present, expected) => {
        if (present !== undefined) {
          await commit([], undefined, present);
        }
        await expect(commit([put("a", "1")], expected, "z-1")).rejects.toEqual(failing("fenceMismatch"));
        expect(await read(`${prefix}a`)).toBeUndefined();
        expect(await read(`${prefix}fence`)).toBe(present === undefined ? undefined : `"${present}"`);
      });

      test("an etag that does not match leaves the fence where it was, and is told as such", async () => {
        await commit([put("a", "1")], undefined, "x-1");
        const etag = (await store.get(getOf(`${prefix}a`)))?.etag;
        await store.set(setOf(`${prefix}a`, "2"));
        await expect(commit([put("a", "3", { etag })], "x-1", "x-2")).rejects.toEqual(failing("etagMismatch"));
        await expect(commit([put("a", "3", { concurrency: "first-write" })], "x-1", "x-2")).rejects.toEqual(
          failing("etagMismatch"),
        );
        expect([await read(`${prefix}a`), await read(`${prefix}fence`)]).toEqual(["2", '"x-1"']);
      });

      test("of transactions at once that expect the same a single one succeeds", async () => {
        for (const [round, expected] of [undefined, "x-1"].entries()) {
          if (expected !== undefined) {
            await store.delete(deleteOf(`${prefix}fence`));
            await commit([], undefined, expected);
          }
          const outcomes = await Promise.allSettled(
            Array.from({ length: 8 }, (_, index) => commit([put(`${round}-${index}`, "1")], expected, `y-${index}`)),
          );
          const written = await Promise.all(outcomes.map((_, index) => read(`${prefix}${round}-${index}`)));
          expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual(written.map((value) => value === "1"));
          expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        }
      });

      test("of writers who read, count up and commit none loses what another has counted", async () => {
        const count = async (writer: number): Promise<number> => {
          for (let attempt = 1; ; attempt += 1) {
            const fence = (await read(`${prefix}fence`))?.slice(1, -1);
            const value = Number((await read(`${prefix}count`)) ?? 0);
            try {
              await commit([put("count", String(value + 1))], fence, `${writer}-${attempt}`);
              return attempt;
            } catch (error) {
              expect(error).toEqual(failing("fenceMismatch"));
            }
          }
        };
        await Promise.all([1, 2, 3, 4, 5].map(count));
        expect(await read(`${prefix}count`)).toBe("5");
      });
    });

    section("DELETE_WITH_PREFIX", () => {
      test("deletes what lies directly under the prefix, and counts it", async () => {
        for (const key of ["actor||a", "actor||b", "actor||a||deeper", "actor2||a"]) {
          await store.set(setOf(prefix + key, "1"));
        }
        expect(await store.deletePrefix?.(`${prefix}actor||`)).toBe(2);
        expect([await read(`${prefix}actor||a`), await read(`${prefix}actor||b`)]).toEqual([undefined, undefined]);
        expect([await read(`${prefix}actor||a||deeper`), await read(`${prefix}actor2||a`)]).toEqual(["1", "1"]);
        expect(await store.deletePrefix?.(`${prefix}actor||`)).toBe(0);
      });
    });

    section("KEYS_LIKE", () => {
      const list = async (pattern: string, pageSize?: number, continuationToken?: string) =>
        (await store.keysLike?.({ pattern, pageSize, continuationToken })) ?? {
          keys: [],
          continuationToken: undefined,
        };

      test("matches any text, any character, and both taken literally", async () => {
        for (const key of ["a1", "a2", "ab1", "a%", "a_"]) {
          await store.set(setOf(prefix + key, "1"));
        }
        const names = async (pattern: string) =>
          (await list(prefix + pattern)).keys.map((key) => key.slice(prefix.length)).sort();
        expect(await names("%")).toEqual(["a%", "a1", "a2", "a_", "ab1"]);
        expect(await names("a_")).toEqual(["a%", "a1", "a2", "a_"]);
        expect(await names("a%1")).toEqual(["a1", "ab1"]);
        expect(await names("a\\%")).toEqual(["a%"]);
        expect(await names("a\\_")).toEqual(["a_"]);
        expect(await names("b%")).toEqual([]);
      });

      test("pages go on where the one before ended", async () => {
        const keys = Array.from({ length: 7 }, (_, index) => `${prefix}k${index}`);
        for (const key of keys) {
          await store.set(setOf(key, "1"));
        }
        const found: string[] = [];
        let token: string | undefined;
        let pages = 0;
        do {
          const page = await list(`${prefix}%`, 3, token);
          found.push(...page.keys);
          token = page.continuationToken;
          pages += 1;
        } while (token !== undefined);
        expect(pages).toBe(3);
        expect(found.sort()).toEqual(keys);
      });

      test("an empty pattern is refused", async () => {
        await expect(
          store.keysLike?.({ pattern: "", pageSize: undefined, continuationToken: undefined }),
        ).rejects.toBeInstanceOf(ComponentError);
      });
    });

    section("LIST_KEYS", () => {
      const list = async (keyPrefix: string, limit = 100, after?: string) =>
        (await store.listKeys?.({ scope: prefix, prefix: keyPrefix, after, limit })) ?? { keys: [], more: false };
      const names = async (keyPrefix: string) => (await list(keyPrefix)).keys.map((key) => key.slice(prefix.length));

      test("finds what begins with the prefix, whatever its characters mean elsewhere", async () => {
        for (const key of ["a", "a*", "a%", "a_", "a?b", "a[1]", "a\\", "b", "A"]) {
          await store.set(setOf(prefix + key, "1"));
        }
        expect(await names("a")).toEqual(["a", "a%", "a*", "a?b", "a[1]", "a\\", "a_"]);
        expect(await names("a*")).toEqual(["a*"]);
        expect(await names("a%")).toEqual(["a%"]);
        expect(await names("a_")).toEqual(["a_"]);
        expect(await names("a[")).toEqual(["a[1]"]);
        expect(await names("a\\")).toEqual(["a\\"]);
        expect(await names("c")).toEqual([]);
      });

      test("keys come in the order of their UTF-8 bytes", async () => {
        const keys = ["z", "\u{1F600}", "\uE000", "é", "Z", "10", "9", "\u{10FFFF}", "e"];
        for (const key of keys) {
          await store.set(setOf(`${prefix}k${key}`, "1"));
        }
        const sorted = keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(await names("k")).toEqual(sorted.map((key) => `k${key}`));
      });

      test("what lies deeper, or beside, is not listed", async () => {
        for (const key of ["k", "k||deeper", "k|", "k||"]) {
          await store.set(setOf(prefix + key, "1"));
        }
        await store.set(setOf(prefix.replace("conformance", "conformance2"), "1"));
        expect(await names("")).toEqual(["k", "k|"]);
      });

      test("pages hold what they are asked for, and the last one says so", async () => {
        const keys = Array.from({ length: 7 }, (_, index) => `${prefix}k${index}`);
        for (const key of keys.toReversed()) {
          await store.set(setOf(key, "1"));
        }
        expect(await list("k", 7)).toEqual({ keys, more: false });
        expect(await list("k", 6)).toEqual({ keys: keys.slice(0, 6), more: true });
        expect(await list("k", 3, keys[2])).toEqual({ keys: keys.slice(3, 6), more: true });
        expect(await list("k", 3, keys[5])).toEqual({ keys: keys.slice(6), more: false });
        expect(await list("k", 3, keys[6])).toEqual({ keys: [], more: false });
      });

      test("a page goes on where the one before ended though keys came and went", async () => {
        for (const key of ["a", "b", "c", "d"]) {
          await store.set(setOf(prefix + key, "1"));
        }
        const { keys } = await list("", 2);
        await store.delete(deleteOf(`${prefix}b`));
        await store.set(setOf(`${prefix}aa`, "1"));
        await store.set(setOf(`${prefix}c`, "2"));
        expect((await list("", 2, keys.at(-1))).keys).toEqual([`${prefix}c`, `${prefix}d`]);
      });

      test("many keys are all found, page by page, each once", async () => {
        const keys = Array.from({ length: 120 }, (_, index) => `${prefix}k${String(index).padStart(3, "0")}`);
        await Promise.all(keys.map((key) => store.set(setOf(key, "1"))));
        const found: string[] = [];
        for (let more = true; more;) {
          const page = await list("k", 25, found.at(-1));
          found.push(...page.keys);
          more = page.more;
        }
        expect(found).toEqual(keys);
      });

      test("an expired item is not listed", async () => {
        await store.set(setOf(`${prefix}gone`, "1", { metadata: { ttlInSeconds: "1" } }));
        await store.set(setOf(`${prefix}here`, "1"));
        await elapse(2_100);
        await isGone(`${prefix}gone`);
        expect(await names("")).toEqual(["here"]);
      });
    });
  });
}

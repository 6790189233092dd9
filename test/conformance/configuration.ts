import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ComponentDeps, ComponentManifest, ComponentMetadata } from "../../src/components/spi/component.ts";
import type { ConfigurationItems, ConfigurationStore } from "../../src/components/spi/configuration.ts";
import { capabilitySections } from "./sections.ts";

/** How a configuration store is brought up for the suite. Stores are read-only for the runtime, so values are written from outside. */
export interface ConfigurationConformance {
  readonly manifest: ComponentManifest<ConfigurationStore>;
  readonly deps: ComponentDeps;
  readonly metadata: ComponentMetadata;
  /** Writes a value as an operator would; called while a store is open. */
  readonly put: (key: string, value: string, version: string) => Promise<void>;
  readonly remove: (key: string) => Promise<void>;
}

let caseNumber = 0;

/** A prefix of keys that no other case uses, so that cases may share one real server. */
function freshPrefix(): string {
  caseNumber += 1;
  return `conformance-${process.pid}-${caseNumber}-`;
}

/** A listener that keeps what it is told. */
function keeper() {
  const updates: ConfigurationItems[] = [];
  return {
    updates,
    listener: (items: ConfigurationItems): void => void updates.push(items),
    /** The last thing told of a key. */
    last: (key: string) => updates.findLast((items) => Object.hasOwn(items, key))?.[key],
  };
}

const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000, interval: 5 });

/** The contract of a configuration store as cases. */
export function configurationConformance({ manifest, deps, metadata, put, remove }: ConfigurationConformance): void {
  describe(`${manifest.type} keeps the contract of configuration stores`, () => {
    let store: ConfigurationStore;
    let prefix: string;

    const get = (...keys: string[]): Promise<ConfigurationItems> => store.get({ keys, metadata: {} });

    beforeEach(async () => {
      store = (await manifest.load())(deps);
      await store.init(metadata, new AbortController().signal);
      prefix = freshPrefix();
    });

    afterEach(async () => {
      await store.close();
    });

    capabilitySections(manifest, {}, () => store);

    test("a second close is harmless, and so is one without init", async () => {
      await store.close();
      await store.close();
      await (await manifest.load())(deps).close();
    });

    describe("get", () => {
      test("values come with their versions", async () => {
        await put(`${prefix}a`, "héllo", "7");
        expect(await get(`${prefix}a`)).toEqual({ [`${prefix}a`]: { value: "héllo", version: "7", metadata: {} } });
      });

      test("only keys that were asked for and exist are answered", async () => {
        await put(`${prefix}a`, "1", "1");
        await put(`${prefix}b`, "2", "1");
        expect(Object.keys(await get(`${prefix}b`, `${prefix}none`))).toEqual([`${prefix}b`]);
      });

      test("no keys means all", async () => {
        await put(`${prefix}a`, "1", "1");
        await put(`${prefix}b`, "2", "1");
        expect(Object.keys(await get())).toEqual(expect.arrayContaining([`${prefix}a`, `${prefix}b`]));
      });

      test("a value that changed is read as it is now, a removed one not at all", async () => {
        await put(`${prefix}a`, "1", "1");
        await put(`${prefix}a`, "2", "2");
        expect((await get(`${prefix}a`))[`${prefix}a`]).toMatchObject({ value: "2", version: "2" });
        await remove(`${prefix}a`);
        expect(await get(`${prefix}a`)).toEqual({});
      });
    });

    describe("subscribe", () => {
      test("a subscriber is told of changes of its keys and of no others", async () => {
        await put(`${prefix}a`, "1", "1");
        const keep = keeper();
        const subscription = await store.subscribe({ keys: [`${prefix}a`, `${prefix}b`], metadata: {} }, keep.listener);
        await put(`${prefix}other`, "x", "1");
        await put(`${prefix}a`, "2", "2");
        await put(`${prefix}b`, "3", "1");
        await soon(() => expect(keep.last(`${prefix}a`)).toMatchObject({ value: "2", version: "2" }));
        await soon(() => expect(keep.last(`${prefix}b`)).toMatchObject({ value: "3", version: "1" }));
        expect(keep.last(`${prefix}other`)).toBeUndefined();
        await subscription.close();
      });

      test("a subscriber without keys is told of all", async () => {
        const keep = keeper();
        await store.subscribe({ keys: [], metadata: {} }, keep.listener);
        await put(`${prefix}a`, "1", "1");
        await soon(() => expect(keep.last(`${prefix}a`)).toMatchObject({ value: "1" }));
      });

      test("a removal is an empty value", async () => {
        await put(`${prefix}a`, "1", "1");
        const keep = keeper();
        await store.subscribe({ keys: [`${prefix}a`], metadata: {} }, keep.listener);
        await remove(`${prefix}a`);
        await soon(() => expect(keep.last(`${prefix}a`)).toMatchObject({ value: "", version: "" }));
      });

      test("changes of one key come in order", async () => {
        const keep = keeper();
        await store.subscribe({ keys: [`${prefix}a`], metadata: {} }, keep.listener);
        for (let version = 1; version <= 20; version += 1) {
          await put(`${prefix}a`, `v${version}`, String(version));
        }
        await soon(() => expect(keep.last(`${prefix}a`)).toMatchObject({ value: "v20" }));
        const seen = keep.updates.map((items) => Number(items[`${prefix}a`]?.version));
        expect(seen).toEqual(seen.toSorted((one, two) => one - two));
      });

      test("a closed subscription is told nothing more, others are", async () => {
        const closed = keeper();
        const open = keeper();
        const subscription = await store.subscribe({ keys: [`${prefix}a`], metadata: {} }, closed.listener);
        await store.subscribe({ keys: [`${prefix}a`], metadata: {} }, open.listener);
        await subscription.close();
        await subscription.close();
        await put(`${prefix}a`, "1", "1");
        await soon(() => expect(open.last(`${prefix}a`)).toMatchObject({ value: "1" }));
        expect(closed.updates).toEqual([]);
      });
    });

    test("a closed store answers with an error", async () => {
      await store.close();
      await expect(get(`${prefix}a`)).rejects.toMatchObject({ name: "ComponentError" });
    });
  });
}

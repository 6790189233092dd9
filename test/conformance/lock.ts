import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ComponentDeps, ComponentManifest, ComponentMetadata } from "../../src/components/spi/component.ts";
import type { LockStore } from "../../src/components/spi/lock.ts";
import { capabilitySections } from "./sections.ts";

/** How a lock store is brought up for the suite. */
export interface LockConformance {
  readonly manifest: ComponentManifest<LockStore>;
  readonly deps: ComponentDeps;
  readonly metadata: ComponentMetadata;
  /** Lets time pass for the store: moves a virtual clock, or waits. */
  readonly elapse: (ms: number) => Promise<void>;
}

const EXPIRY_SECONDS = 60;

let caseNumber = 0;

/** A resource that no other case uses, so that cases may share one real server. */
function freshResource(): string {
  caseNumber += 1;
  return `lock||conformance-${process.pid}||${caseNumber}`;
}

/** The contract of a lock store as cases. */
export function lockConformance({ manifest, deps, metadata, elapse }: LockConformance): void {
  describe(`${manifest.type} keeps the contract of locks`, () => {
    let store: LockStore;
    let resourceId: string;

    const lock = (owner: string, expirySeconds = EXPIRY_SECONDS): Promise<boolean> =>
      store.tryLock({ resourceId, owner, expirySeconds });
    const unlock = (owner: string) => store.unlock({ resourceId, owner });

    beforeEach(async () => {
      store = (await manifest.load())(deps);
      await store.init(metadata, new AbortController().signal);
      resourceId = freshResource();
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

    describe("tryLock", () => {
      test("a free resource is locked, a locked one is not locked again", async () => {
        expect(await lock("a")).toBe(true);
        expect(await lock("b")).toBe(false);
      });

      test("the owner cannot lock twice either", async () => {
        expect(await lock("a")).toBe(true);
        expect(await lock("a")).toBe(false);
      });

      test("resources do not mix", async () => {
        expect(await lock("a")).toBe(true);
        resourceId = freshResource();
        expect(await lock("b")).toBe(true);
      });
    });

    describe("unlock", () => {
      test("the owner frees its lock, and another takes it", async () => {
        await lock("a");
        expect(await unlock("a")).toBe("success");
        expect(await lock("b")).toBe(true);
      });

      test("nobody frees the lock of another", async () => {
        await lock("a");
        expect(await unlock("b")).toBe("lockBelongsToOthers");
        expect(await lock("b")).toBe(false);
      });

      test("a lock that is not there cannot be freed", async () => {
        expect(await unlock("a")).toBe("lockDoesNotExist");
        await lock("a");
        await unlock("a");
        expect(await unlock("a")).toBe("lockDoesNotExist");
      });
    });

    describe("expiry", () => {
      test("an expired lock belongs to nobody", async () => {
        await lock("a", 1);
        await elapse(1_200);
        expect(await unlock("a")).toBe("lockDoesNotExist");
        expect(await lock("b")).toBe(true);
        expect(await unlock("a")).toBe("lockBelongsToOthers");
      });

      test("a lock holds until it expires", async () => {
        await lock("a", EXPIRY_SECONDS);
        await elapse(1_200);
        expect(await lock("b")).toBe(false);
        expect(await unlock("a")).toBe("success");
      });
    });

    describe("contention", () => {
      test("of many that try at once one wins", async () => {
        const outcomes = await Promise.all(Array.from({ length: 50 }, (_, index) => lock(`owner-${index}`)));
        expect(outcomes.filter(Boolean)).toHaveLength(1);
      });

      test("two instances on one back end see the same locks", async () => {
        const other = (await manifest.load())(deps);
        await other.init(metadata, new AbortController().signal);
        try {
          await lock("a");
          expect(await other.tryLock({ resourceId, owner: "b", expirySeconds: EXPIRY_SECONDS })).toBe(false);
          expect(await other.unlock({ resourceId, owner: "a" })).toBe("success");
        } finally {
          await other.close();
        }
      });
    });

    test("a closed store answers with an error", async () => {
      await store.close();
      await expect(lock("a")).rejects.toMatchObject({ name: "ComponentError" });
    });
  });
}

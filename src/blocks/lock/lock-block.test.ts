import { describe, expect, it } from "vitest";
import type { ComponentManifest } from "../../components/spi/component.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import type { LockStore, TryLockRequest } from "../../components/spi/lock.ts";
import { LiveView } from "../../inventory/view.ts";
import { createLockBlock } from "./lock-block.ts";

const manifest: ComponentManifest<LockStore> = {
  family: "lock",
  type: "lock.fake",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: [],
  load: () => Promise.reject(new Error("not in these tests")),
};

function setUp(metadata: Readonly<Record<string, string>> = {}, appId = "app") {
  const stores = new LiveView<LockStore>();
  const asked: TryLockRequest[] = [];
  const component: LockStore = {
    init: async () => undefined,
    close: async () => undefined,
    async tryLock(request) {
      asked.push(request);
      if (request.owner === "broken") {
        throw new ComponentError("unavailable", "the store is gone");
      }
      return true;
    },
    async unlock({ owner }) {
      if (owner === "broken") {
        throw new ComponentError("unavailable", "the store is gone");
      }
      return owner === "a" ? "success" : "lockBelongsToOthers";
    },
  };
  const block = createLockBlock({ stores, appId });
  const load = (): unknown =>
    stores.set({ name: "store", manifest, version: "v1", metadata, secretNames: {}, component });
  return { block, asked, stores, load };
}

const request = { store: "store", resourceId: "r", owner: "a", expirySeconds: 5 };

describe("locks", () => {
  it.each([
    [{}, "app", "lock||app||r"],
    [{}, "", "lock||r"],
    [{ keyPrefix: "none" }, "app", "lock||r"],
    [{ KEYPREFIX: "NAME" }, "app", "lock||store||r"],
    [{ keyPrefix: "appid" }, "app", "lock||app||r"],
    [{ keyPrefix: "Fixed" }, "app", "lock||fixed||r"],
  ])("keeps a resource of a store with %j and app id %j as %s", async (metadata, appId, stored) => {
    const { block, asked, load } = setUp(metadata, appId);
    load();
    expect(await block.tryLock(request)).toBe(true);
    expect(asked).toEqual([{ resourceId: stored, owner: "a", expirySeconds: 5 }]);
  });

  it("tells what is wrong in Dapr's order", async () => {
    const { block, load } = setUp();
    await expect(block.tryLock({ ...request, expirySeconds: 0 })).rejects.toMatchObject({
      message: "ExpiryInSeconds is not positive in lock store store",
      httpStatus: 400,
    });
    await expect(block.tryLock({ ...request, resourceId: "" })).rejects.toMatchObject({
      message: "lock store is not configured",
      grpcStatus: 9,
      httpStatus: 500,
    });
    load();
    await expect(block.tryLock({ ...request, store: "x", resourceId: "" })).rejects.toMatchObject({
      message: "ResourceId is empty in lock store x",
      entry: { code: "ERR_MALFORMED_REQUEST" },
    });
    await expect(block.unlock({ ...request, store: "x", owner: "" })).rejects.toMatchObject({
      message: "LockOwner is empty in lock store x",
    });
    await expect(block.unlock({ ...request, store: "x" })).rejects.toMatchObject({
      message: "lock store x not found",
      entry: { code: "ERR_LOCK_STORE_NOT_FOUND" },
      httpStatus: 400,
    });
  });

  it("refuses names that hold the separator", async () => {
    const { block, load } = setUp();
    load();
    const reason = "input key/keyPrefix 'a||b' can't contain '||'";
    await expect(block.tryLock({ ...request, resourceId: "a||b" })).rejects.toMatchObject({
      message: `failed to try acquiring lock: ${reason}`,
      entry: { code: "ERR_TRY_LOCK" },
    });
    await expect(block.unlock({ ...request, resourceId: "a||b" })).rejects.toMatchObject({
      message: `failed to release lock: ${reason}`,
      entry: { code: "ERR_UNLOCK" },
    });
    expect(setUp({ keyPrefix: "a||b" }).load).toThrow(`failed to save lock keyprefix: ${reason}`);
  });

  it("says what the store said", async () => {
    const { block, load } = setUp();
    load();
    await expect(block.tryLock({ ...request, owner: "broken" })).rejects.toMatchObject({
      message: "failed to try acquiring lock: the store is gone",
      httpStatus: 500,
      grpcStatus: 13,
    });
    await expect(block.unlock({ ...request, owner: "broken" })).rejects.toMatchObject({
      message: "failed to release lock: the store is gone",
    });
    expect(await block.unlock(request)).toBe("success");
    expect(await block.unlock({ ...request, owner: "b" })).toBe("lockBelongsToOthers");
  });

  it("forgets a store that is gone", async () => {
    const { block, load, stores } = setUp();
    load();
    stores.delete("store");
    await expect(block.tryLock(request)).rejects.toMatchObject({ message: "lock store is not configured" });
  });
});

import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  TryLockRequestSchema,
  UnlockRequestSchema,
  UnlockResponse_Status,
} from "../../src/wire/gen/dapr/proto/runtime/v1/lock_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { component, type Folder, temporaryFolder } from "../harness/resources.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

describe("locks over both doors", () => {
  let folder: Folder;
  let sidecar: TestSidecar;
  beforeAll(async () => {
    folder = await temporaryFolder();
    sidecar = await startTestSidecar({
      resources: component("locks", "lock.sqlite", { connectionString: `${folder.path}/locks.db` }),
    });
  });
  afterAll(async () => {
    await sidecar.stop();
    await folder[Symbol.asyncDispose]();
  });

  const post = async (path: string, body: unknown): Promise<[number, unknown]> => {
    const response = await sidecar.fetch(`/v1.0-alpha1/${path}`, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return [response.status, await response.json()];
  };

  it("locks and unlocks over HTTP, zero values written out", async () => {
    const lock = { resourceId: "r", lockOwner: "a", expiryInSeconds: 60, unknown: 1 };
    expect(await post("lock/locks", lock)).toEqual([200, { success: true }]);
    expect(await post("lock/locks", { ...lock, lockOwner: "b" })).toEqual([200, { success: false }]);
    expect(await post("unlock/locks", { resourceId: "r", lockOwner: "b" })).toEqual([200, { status: 2 }]);
    expect(await post("unlock/locks", { resourceId: "r", lockOwner: "a" })).toEqual([200, { status: 0 }]);
    expect(await post("unlock/locks", { resourceId: "r", lockOwner: "a" })).toEqual([200, { status: 1 }]);
  });

  it.each([
    [
      "lock/locks",
      { resourceId: "r", lockOwner: "a" },
      400,
      "ERR_MALFORMED_REQUEST",
      "ExpiryInSeconds is not positive in lock store locks",
    ],
    [
      "lock/locks",
      { lockOwner: "a", expiryInSeconds: 1 },
      400,
      "ERR_MALFORMED_REQUEST",
      "ResourceId is empty in lock store locks",
    ],
    ["unlock/locks", { resourceId: "r" }, 400, "ERR_MALFORMED_REQUEST", "LockOwner is empty in lock store locks"],
    [
      "unlock/other",
      { resourceId: "r", lockOwner: "a" },
      400,
      "ERR_LOCK_STORE_NOT_FOUND",
      "lock store other not found",
    ],
    [
      "lock/locks",
      { resourceId: "a||b", lockOwner: "a", expiryInSeconds: 1 },
      500,
      "ERR_TRY_LOCK",
      "failed to try acquiring lock: input key/keyPrefix 'a||b' can't contain '||'",
    ],
  ])("refuses %s %j", async (path, body, status, errorCode, message) => {
    expect(await post(path, body)).toEqual([status, { errorCode, message }]);
  });

  it("refuses a body that is not JSON, and takes an empty one for an empty message", async () => {
    expect(await post("lock/locks", "{")).toMatchObject([400, { errorCode: "ERR_MALFORMED_REQUEST" }]);
    expect(await post("lock/locks", "")).toMatchObject([
      400,
      { message: "ExpiryInSeconds is not positive in lock store locks" },
    ]);
  });

  it("locks and unlocks over gRPC", async () => {
    const lock = create(TryLockRequestSchema, {
      storeName: "locks",
      resourceId: "g",
      lockOwner: "a",
      expiryInSeconds: 60,
    });
    expect((await sidecar.grpc.call(daprMethods.tryLockAlpha1, lock)).success).toBe(true);
    expect((await sidecar.grpc.call(daprMethods.tryLockAlpha1, lock)).success).toBe(false);
    const unlock = create(UnlockRequestSchema, { storeName: "locks", resourceId: "g", lockOwner: "b" });
    expect((await sidecar.grpc.call(daprMethods.unlockAlpha1, unlock)).status).toBe(
      UnlockResponse_Status.LOCK_BELONGS_TO_OTHERS,
    );
    const failure = await sidecar.grpc.failure(
      daprMethods.tryLockAlpha1,
      create(TryLockRequestSchema, { storeName: "locks" }),
    );
    expect(failure).toMatchObject({ code: 3, message: "ExpiryInSeconds is not positive in lock store locks" });
  });
});

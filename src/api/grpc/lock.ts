import type { LockBlock } from "../../blocks/lock/lock-block.ts";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { unlockStatusNumber } from "../unlock-status.ts";
import type { ServiceHandlers } from "./service.ts";

/** The lock methods of `dapr.proto.runtime.v1.Dapr`. */
export function lockHandlers(block: LockBlock): Pick<ServiceHandlers<typeof Dapr>, "tryLockAlpha1" | "unlockAlpha1"> {
  return {
    tryLockAlpha1: async ({ storeName, resourceId, lockOwner, expiryInSeconds }) => ({
      $typeName: "dapr.proto.runtime.v1.TryLockResponse",
      success: await block.tryLock({ store: storeName, resourceId, owner: lockOwner, expirySeconds: expiryInSeconds }),
    }),
    unlockAlpha1: async ({ storeName, resourceId, lockOwner }) => ({
      $typeName: "dapr.proto.runtime.v1.UnlockResponse",
      status: unlockStatusNumber(await block.unlock({ store: storeName, resourceId, owner: lockOwner })),
    }),
  };
}

import type { ComponentManifest } from "../spi/component.ts";
import type { LockStore } from "../spi/lock.ts";
import { CONNECTION_FIELDS } from "./fields.ts";

/** `lock.redis`: locks as keys of a single server without replicas. */
export const redisLockManifest: ComponentManifest<LockStore> = {
  family: "lock",
  type: "lock.redis",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: CONNECTION_FIELDS,
  onlyConnects: { unless: [] },
  async load() {
    const { RedisLockStore } = await import("./lock-store.ts");
    return (deps) => new RedisLockStore(deps);
  },
};

import type { ComponentManifest } from "../spi/component.ts";
import type { StateStore } from "../spi/state.ts";
import { STATE_FIELDS } from "./fields.ts";

/** `state.redis`: items in Dapr's hashes on a single server. */
export const redisStateManifest: ComponentManifest<StateStore> = {
  family: "state",
  type: "state.redis",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: ["ETAG", "TRANSACTIONAL", "TTL", "KEYS_LIKE", "LIST_KEYS", "FENCED"],
  metadata: STATE_FIELDS,
  onlyConnects: { unless: ["queryIndexes"] },
  async load() {
    const { RedisStateStore } = await import("./state-store.ts");
    return (deps) => new RedisStateStore(deps);
  },
};

import type { ComponentManifest } from "../spi/component.ts";
import type { StateStore } from "../spi/state.ts";
import { STORED_BYTES_MAX_DEFAULT } from "./state-limits.ts";

/** `state.in-memory`: a store that lives and dies with its sidecar. */
export const inMemoryStateManifest: ComponentManifest<StateStore> = {
  family: "state",
  type: "state.in-memory",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: ["ETAG", "TRANSACTIONAL", "TTL", "DELETE_WITH_PREFIX", "KEYS_LIKE", "LIST_KEYS", "FENCED"],
  metadata: [
    {
      name: "maxBytes",
      kind: "quantity",
      default: String(STORED_BYTES_MAX_DEFAULT),
      description: "Most bytes of keys and values together; a write beyond it fails. Dapr's store has no limit.",
    },
  ],
  async load() {
    const { InMemoryStateStore } = await import("./state-store.ts");
    return (deps) => new InMemoryStateStore(deps);
  },
};

import type { ComponentManifest } from "../spi/component.ts";
import type { StateStore } from "../spi/state.ts";
import { ETCD_STATE_FIELDS } from "./fields.ts";

/**
 * `state.etcd`. Version v1 stores bare values, which do not tell when they expire; v2 stores them in Dapr's envelope.
 * Neither reads what the other has written.
 */
export const etcdStateManifest: ComponentManifest<StateStore> = {
  family: "state",
  type: "state.etcd",
  versions: [
    { version: "v1", stability: "alpha" },
    { version: "v2", stability: "alpha" },
  ],
  capabilities: ["ETAG", "TRANSACTIONAL", "TTL", "KEYS_LIKE", "LIST_KEYS", "FENCED"],
  metadata: ETCD_STATE_FIELDS,
  async load() {
    const { EtcdStateStore } = await import("./state-store.ts");
    return (deps) => new EtcdStateStore(deps);
  },
};

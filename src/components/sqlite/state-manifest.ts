import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { StateStore } from "../spi/state.ts";
import { DATABASE_FIELDS } from "./connection-string.ts";

/** The metadata of `state.sqlite`. */
export const STATE_FIELDS = [
  ...DATABASE_FIELDS,
  { name: "tableName", kind: "string", default: "state", description: "Table that holds the items." },
  {
    name: "metadataTableName",
    kind: "string",
    default: "metadata",
    description: "Table that holds the schema's version and the time of the last clean-up.",
  },
  {
    name: "cleanupInterval",
    kind: "duration",
    default: "0s",
    aliases: ["cleanupIntervalInSeconds"],
    description: "How often expired items are deleted; 0: never, they are only hidden.",
  },
] as const satisfies readonly MetadataField[];

/** `state.sqlite`: Dapr's tables in a file that any number of sidecars may share; a save that was answered is on disk. */
export const sqliteStateManifest: ComponentManifest<StateStore> = {
  family: "state",
  type: "state.sqlite",
  aliases: ["state.sqlite3"],
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: ["ETAG", "TRANSACTIONAL", "TTL", "KEYS_LIKE", "LIST_KEYS", "FENCED"],
  metadata: STATE_FIELDS,
  async load() {
    const { SqliteStateStore } = await import("./state-store.ts");
    return (deps) => new SqliteStateStore(deps);
  },
};

import type { ComponentManifest } from "../spi/component.ts";
import type { LockStore } from "../spi/lock.ts";
import { DATABASE_FIELDS } from "./connection-string.ts";

/** The metadata of `lock.sqlite`. */
export const LOCK_FIELDS = DATABASE_FIELDS;

/** `lock.sqlite`, ours: locks in a table, for the sidecars of one machine. A lock that was given is on disk. */
export const sqliteLockManifest: ComponentManifest<LockStore> = {
  family: "lock",
  type: "lock.sqlite",
  versions: [{ version: "v1", stability: "beta" }],
  capabilities: [],
  metadata: LOCK_FIELDS,
  load: async () => (await import("./lock.ts")).createSqliteLockStore,
};

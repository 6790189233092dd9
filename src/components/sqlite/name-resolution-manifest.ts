import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { NameResolver } from "../spi/name-resolution.ts";

/** The configuration of the resolver `sqlite`, as in components-contrib. */
export const NAME_RESOLUTION_FIELDS = [
  {
    name: "connectionString",
    kind: "string",
    required: true,
    missingText: "missing connection string",
    aliases: ["url"],
    sensitive: true,
    description: "Path of the database file, or a file: URI, that all sidecars of the machine share.",
  },
  { name: "tableName", kind: "string", default: "hosts", description: "Table of the registered sidecars." },
  {
    name: "metadataTableName",
    kind: "string",
    default: "metadata",
    description: "Table in which the state of the migrations and the last cleanup are kept.",
  },
  {
    name: "updateInterval",
    kind: "duration",
    default: "5s",
    description: "A sidecar that has not renewed its registration for so long is gone; whole seconds.",
  },
  {
    name: "cleanupInterval",
    kind: "duration",
    default: "1h",
    aliases: ["cleanupIntervalInSeconds"],
    description: "Time between two removals of sidecars that are gone; 0: never.",
  },
  {
    name: "timeout",
    kind: "duration",
    default: "1s",
    aliases: ["timeoutInSeconds"],
    description: "Time that a renewal may take.",
  },
  {
    name: "busyTimeout",
    kind: "duration",
    default: "800ms",
    description: "How long to wait for another process that writes to the file.",
  },
  {
    name: "disableWAL",
    kind: "boolean",
    default: "false",
    description: "For files on a network file system, where write-ahead logging is not safe.",
  },
] as const satisfies readonly MetadataField[];

/** `sqlite`: sidecars register in a table of a shared file; a real daprd on the same file finds them and is found. */
export const sqliteNameResolutionManifest: ComponentManifest<NameResolver> = {
  family: "nameresolution",
  type: "nameresolution.sqlite",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: NAME_RESOLUTION_FIELDS,
  load: async () => (await import("./name-resolution.ts")).createSqliteNameResolver,
};

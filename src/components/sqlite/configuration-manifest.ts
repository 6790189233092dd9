import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { ConfigurationStore } from "../spi/configuration.ts";
import { DATABASE_FIELDS } from "./connection-string.ts";

/** The metadata of `configuration.sqlite`. */
export const CONFIGURATION_FIELDS = [
  ...DATABASE_FIELDS,
  {
    name: "tableName",
    kind: "string",
    default: "configuration",
    description:
      "Table with the columns key, value, version and metadata (a JSON object of texts); made when it is missing.",
  },
  {
    name: "pollInterval",
    kind: "duration",
    default: "100ms",
    description: "How soon subscribers hear of a change.",
  },
  {
    name: "initialItems",
    kind: "string",
    description:
      "A JSON object of texts by key, inserted with version 1 where the key is missing, each time the component is loaded.",
  },
] as const satisfies readonly MetadataField[];

/**
 * `configuration.sqlite`, ours: values in a table that any SQLite tool can edit. Changes are noticed whoever makes them,
 * also where the version stays the same.
 */
export const sqliteConfigurationManifest: ComponentManifest<ConfigurationStore> = {
  family: "configuration",
  type: "configuration.sqlite",
  versions: [{ version: "v1", stability: "beta" }],
  capabilities: [],
  metadata: CONFIGURATION_FIELDS,
  load: async () => (await import("./configuration.ts")).createSqliteConfigurationStore,
};

import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { SecretStore } from "../spi/secret-store.ts";

export const localFileFields = [
  {
    name: "secretsFile",
    kind: "string",
    required: true,
    missingText: "missing local secrets file in metadata",
    description: "Path to the JSON file with the secrets, relative to the directory the sidecar was started in.",
  },
  {
    name: "nestedSeparator",
    kind: "string",
    default: ":",
    description: "What joins the names on the way to a nested value.",
  },
  {
    name: "multiValued",
    kind: "boolean",
    default: "false",
    description: "Objects at the top of the file are secrets with several values instead of several secrets.",
  },
] as const satisfies readonly MetadataField[];

/** `secretstores.local.file`: secrets from a JSON file, for development. */
export const localFileManifest: ComponentManifest<SecretStore> = {
  family: "secretstores",
  type: "secretstores.local.file",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: localFileFields,
  load: async () => (await import("./store.ts")).createLocalFileStore,
};

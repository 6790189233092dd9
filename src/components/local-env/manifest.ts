import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { SecretStore } from "../spi/secret-store.ts";

export const localEnvFields = [
  {
    name: "prefix",
    kind: "string",
    default: "",
    description: "Only variables whose names start with it are secrets; their names lose it.",
  },
] as const satisfies readonly MetadataField[];

/** `secretstores.local.env`: the sidecar's environment variables as secrets. */
export const localEnvManifest: ComponentManifest<SecretStore> = {
  family: "secretstores",
  type: "secretstores.local.env",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: localEnvFields,
  load: async () => (await import("./store.ts")).createLocalEnvStore,
};

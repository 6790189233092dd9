import type { Binding } from "../spi/bindings.ts";
import type { ComponentManifest, MetadataField } from "../spi/component.ts";

export const localStorageFields = [
  {
    name: "rootPath",
    kind: "string",
    required: true,
    missingText: "failed to parse metadata: property rootPath must not be empty",
    description: "Folder that holds the files; it is made where it is missing.",
  },
] as const satisfies readonly MetadataField[];

/** `bindings.localstorage`: files below one folder. */
export const localStorageManifest: ComponentManifest<Binding> = {
  family: "bindings",
  type: "bindings.localstorage",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: ["OUTPUT_BINDING"],
  metadata: localStorageFields,
  load: async () => (await import("./binding.ts")).createLocalStorageBinding,
};

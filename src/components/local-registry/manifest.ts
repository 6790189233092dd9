import type { ComponentManifest } from "../spi/component.ts";
import type { NameResolver } from "../spi/name-resolution.ts";

/** `outrigger.local`: the sidecars of one process find each other without a network; for dev mode and tests. */
export const localRegistryManifest: ComponentManifest<NameResolver> = {
  family: "nameresolution",
  type: "nameresolution.outrigger.local",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: [],
  load: async () => (await import("./resolver.ts")).createLocalRegistry,
};

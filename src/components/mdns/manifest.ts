import type { ComponentManifest } from "../spi/component.ts";
import type { NameResolver } from "../spi/name-resolution.ts";

/** `mdns`: multicast DNS on the local network, Dapr's default outside Kubernetes. */
export const mdnsManifest: ComponentManifest<NameResolver> = {
  family: "nameresolution",
  type: "nameresolution.mdns",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: [],
  load: async () => (await import("./resolver.ts")).createMdnsResolver,
};

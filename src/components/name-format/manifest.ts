import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { NameResolver } from "../spi/name-resolution.ts";

export const NAME_FORMAT_FIELDS = [
  {
    name: "format",
    kind: "string",
    required: true,
    missingText: "format is required in metadata",
    description:
      "An address in which {appid} stands for the app's id: service-{appid}.default.svc.cluster.local:50002.",
  },
] as const satisfies readonly MetadataField[];

/** `nameformat`: addresses follow a pattern, nothing is looked up (contrib `nameresolution/nameformat`). */
export const nameFormatManifest: ComponentManifest<NameResolver> = {
  family: "nameresolution",
  type: "nameresolution.nameformat",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: NAME_FORMAT_FIELDS,
  load: async () => (await import("./resolver.ts")).createNameFormatResolver,
};

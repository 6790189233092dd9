import type { Binding } from "../spi/bindings.ts";
import type { ComponentManifest, MetadataField } from "../spi/component.ts";

export const cronFields = [
  {
    name: "schedule",
    kind: "string",
    required: true,
    missingText: "schedule not set",
    description:
      "Five or six cron fields (seconds first), a descriptor such as @daily, or @every 15m; CRON_TZ=Area/City before it sets the zone.",
  },
] as const satisfies readonly MetadataField[];

/** `bindings.cron`: an input binding whose events are moments in time. */
export const cronManifest: ComponentManifest<Binding> = {
  family: "bindings",
  type: "bindings.cron",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: ["INPUT_BINDING"],
  metadata: cronFields,
  load: async () => (await import("./binding.ts")).createCronBinding,
};

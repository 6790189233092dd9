import type { ComponentManifest } from "../spi/component.ts";
import type { PubSub } from "../spi/pubsub.ts";

/** `pubsub.in-memory`: a broker in the process's memory. */
export const inMemoryPubSubManifest: ComponentManifest<PubSub> = {
  family: "pubsub",
  type: "pubsub.in-memory",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: ["SUBSCRIBE_WILDCARDS"],
  metadata: [
    {
      name: "consumerID",
      kind: "string",
      description:
        "Sidecars of one process that share this broker and this id share the messages; the default is the app id.",
    },
    {
      name: "concurrencyMode",
      kind: "string",
      default: "parallel",
      description:
        "single hands a subscriber one message at a time, in the order of publishing; parallel starts up to 64 side by side.",
    },
  ],
  load: async () => (await import("./pubsub.ts")).createInMemoryPubSub,
};

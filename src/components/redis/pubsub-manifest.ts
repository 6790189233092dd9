import type { ComponentManifest } from "../spi/component.ts";
import type { PubSub } from "../spi/pubsub.ts";
import { PUBSUB_FIELDS } from "./fields.ts";

/** `pubsub.redis`: topics as streams, read by consumer groups. */
export const redisPubSubManifest: ComponentManifest<PubSub> = {
  family: "pubsub",
  type: "pubsub.redis",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: PUBSUB_FIELDS,
  onlyConnects: { unless: [] },
  async load() {
    const { RedisPubSub } = await import("./pubsub.ts");
    return (deps) => new RedisPubSub(deps);
  },
};

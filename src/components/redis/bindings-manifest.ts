import type { Binding } from "../spi/bindings.ts";
import type { ComponentManifest } from "../spi/component.ts";
import { CONNECTION_FIELDS } from "./fields.ts";

/** `bindings.redis`: writes, reads, counts up and deletes plain keys. */
export const redisBindingsManifest: ComponentManifest<Binding> = {
  family: "bindings",
  type: "bindings.redis",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: ["OUTPUT_BINDING"],
  metadata: CONNECTION_FIELDS,
  onlyConnects: { unless: [] },
  async load() {
    const { RedisBinding } = await import("./binding.ts");
    return (deps) => new RedisBinding(deps);
  },
};

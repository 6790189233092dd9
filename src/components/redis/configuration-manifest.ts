import type { ComponentManifest } from "../spi/component.ts";
import type { ConfigurationStore } from "../spi/configuration.ts";
import { CONFIGURATION_FIELDS } from "./fields.ts";

/** `configuration.redis`: plain keys, with changes told through the server's keyspace events. */
export const redisConfigurationManifest: ComponentManifest<ConfigurationStore> = {
  family: "configuration",
  type: "configuration.redis",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: CONFIGURATION_FIELDS,
  onlyConnects: { unless: [] },
  async load() {
    const { RedisConfigurationStore } = await import("./configuration-store.ts");
    return (deps) => new RedisConfigurationStore(deps);
  },
};

import type { Binding } from "../spi/bindings.ts";
import type { ComponentManifest } from "../spi/component.ts";
import { POSTGRESQL_FIELDS } from "./fields.ts";

/** `bindings.postgresql`: runs SQL that the request brings with it. */
export const postgresqlBindingsManifest: ComponentManifest<Binding> = {
  family: "bindings",
  type: "bindings.postgresql",
  aliases: ["bindings.postgres"],
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: ["OUTPUT_BINDING"],
  metadata: POSTGRESQL_FIELDS,
  onlyConnects: { unless: [] },
  async load() {
    const { PostgresqlBinding } = await import("./binding.ts");
    return (deps) => new PostgresqlBinding(deps);
  },
};

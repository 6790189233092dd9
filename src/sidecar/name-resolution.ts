import { consulManifest } from "../components/consul/manifest.ts";
import { localRegistryManifest } from "../components/local-registry/manifest.ts";
import { mdnsManifest } from "../components/mdns/manifest.ts";
import { nameFormatManifest } from "../components/name-format/manifest.ts";
import { sqliteNameResolutionManifest } from "../components/sqlite/name-resolution-manifest.ts";
import type { ComponentDeps, ComponentManifest } from "../components/spi/component.ts";
import type { NameResolver } from "../components/spi/name-resolution.ts";
import { suggest } from "../kit/distance.ts";
import { jsonToGoText } from "../resources/json-value.ts";
import type { Configuration } from "../resources/configuration.ts";

/** The name resolvers, by the name that `spec.nameResolution.component` gives them. */
export const NAME_RESOLVERS: Readonly<Record<string, ComponentManifest<NameResolver>>> = {
  mdns: mdnsManifest,
  "outrigger.local": localRegistryManifest,
  sqlite: sqliteNameResolutionManifest,
  nameformat: nameFormatManifest,
  "hashicorp.consul": consulManifest,
};

/**
 * The resolver that the Configuration names, or the shape's own, initialised.
 * @throws Error for a name there is none of
 */
export async function createNameResolver(
  configured: Configuration["nameResolution"],
  byDefault: string,
  deps: Omit<ComponentDeps, "name" | "report">,
  signal: AbortSignal,
): Promise<NameResolver> {
  const name = configured.component === "" ? byDefault : configured.component;
  const manifest =
    NAME_RESOLVERS[name] ??
    Object.values(NAME_RESOLVERS).find(({ aliases }) => aliases?.includes(`nameresolution.${name}`) === true);
  if (manifest === undefined) {
    const nearest = suggest(name, Object.keys(NAME_RESOLVERS));
    throw new Error(
      `couldn't find name resolver ${name}/${configured.version}: there are ${Object.keys(NAME_RESOLVERS).join(", ")}` +
        (nearest === undefined ? "" : `; did you mean ${nearest}?`),
    );
  }
  const create = await manifest.load();
  const resolver = create({ ...deps, name, report() {} });
  await resolver.init(stringFields(configured.configuration), signal);
  deps.logger.info(`Initialized name resolution to ${name}`);
  return resolver;
}

function stringFields(configuration: Configuration["nameResolution"]["configuration"]): Record<string, string> {
  if (typeof configuration !== "object" || configuration === null || Array.isArray(configuration)) {
    return {};
  }
  return Object.fromEntries(
    Object.entries(configuration).map(([field, value]) => [
      field,
      typeof value === "string" ? value : jsonToGoText(value),
    ]),
  );
}

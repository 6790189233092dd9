import { pluggableManifests, SOCKETS_FOLDER_DEFAULT } from "../components/pluggable/manifest.ts";
import type { ComponentManifest } from "../components/spi/component.ts";
import { COMPONENT_MANIFESTS } from "./families.ts";
import { messageBytesMax } from "./options.ts";
import type { AssemblyPlan } from "./plan.ts";

/** The types that resources can ask for: those behind sockets, which take the place of ours of the same name, and ours. */
export async function componentTypes({ options, deps }: AssemblyPlan): Promise<readonly ComponentManifest[]> {
  const pluggable = await pluggableManifests({
    folder: socketsFolder(deps.environment),
    transport: deps.transport,
    messageBytesMax: messageBytesMax(options.maxBodyBytes),
    clock: deps.clock,
    logger: deps.logger,
  });
  return pluggable.length === 0 ? COMPONENT_MANIFESTS : [...pluggable, ...COMPONENT_MANIFESTS];
}

/** Where sockets of pluggable components are looked for. */
export function socketsFolder(environment: Readonly<Record<string, string | undefined>>): string {
  return environment["DAPR_COMPONENTS_SOCKETS_FOLDER"] ?? SOCKETS_FOLDER_DEFAULT;
}

import type { SidecarOptions } from "./options.ts";

/** The namespace of a sidecar that was given none, in names and on the wire. */
const DEFAULT_NAMESPACE = "default";

export function namespaceOf(options: SidecarOptions): string {
  return options.namespace === "" ? DEFAULT_NAMESPACE : options.namespace;
}

import type { ComponentResource } from "../resources/component.ts";
import type { AnyResource } from "../resources/read-resource.ts";

/** The components among resources of all kinds. */
export function componentsOf(resources: readonly AnyResource[]): readonly ComponentResource[] {
  return resources.flatMap((each) => (each.kind === "Component" ? [each.resource] : []));
}

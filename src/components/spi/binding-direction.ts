import type { ComponentMetadata } from "./component.ts";

export type BindingDirection = "input" | "output";

/** The directions that metadata `direction` names; undefined: it is not set, and the component is used both ways as far as it can. */
export function bindingDirections(metadata: ComponentMetadata): ReadonlySet<string> | undefined {
  let directions: Set<string> | undefined;
  for (const [name, value] of Object.entries(metadata)) {
    if (name.toLowerCase() === "direction") {
      directions ??= new Set();
      for (const direction of value.split(",")) {
        directions.add(direction.trim().toLowerCase());
      }
    }
  }
  return directions;
}

/** Whether the runtime may use a binding that way. */
export function allowsDirection(metadata: ComponentMetadata, direction: BindingDirection): boolean {
  return bindingDirections(metadata)?.has(direction) ?? true;
}

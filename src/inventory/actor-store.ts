import type { Component } from "../components/spi/component.ts";
import { isTruthy } from "../components/spi/metadata.ts";
import type { Loaded } from "./types.ts";

/** Whether the component is the state store that says `actorStateStore: true`. */
export function isActorStore({ manifest, metadata }: Loaded<Component>): boolean {
  return (
    manifest.family === "state" &&
    Object.entries(metadata).some(
      ([name, value]) => name.toLowerCase() === "actorstatestore" && isTruthy(String(value)),
    )
  );
}

/** Whether a sidecar that has lost an actor without noticing can be kept from writing the actor's state. */
export function isFenced({ manifest, component }: Loaded<Component>): boolean {
  return (component.capabilities ?? manifest.capabilities).includes("FENCED");
}

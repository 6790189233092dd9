import { allowsDirection } from "../components/spi/binding-direction.ts";
import type { Component, ComponentManifest, ComponentMetadata } from "../components/spi/component.ts";
import { OWN_STATE_CAPABILITIES } from "../components/spi/state.ts";

/** What `GET /v1.0/metadata` lists: a state store that can keep actors says so too, a binding only the directions it is used in. */
export function capabilitiesOf(
  manifest: ComponentManifest,
  component: Component,
  metadata: ComponentMetadata,
): readonly string[] {
  const own = component.capabilities ?? manifest.capabilities;
  switch (manifest.family) {
    case "state": {
      const told = own.filter((capability) => !OWN_STATE_CAPABILITIES.includes(capability));
      return own.includes("ETAG") && own.includes("TRANSACTIONAL") ? [...told, "ACTOR"] : told;
    }
    case "bindings":
      return own.filter((capability) => allowsDirection(metadata, capability === "INPUT_BINDING" ? "input" : "output"));
    case "pubsub":
    case "secretstores":
    case "configuration":
    case "lock":
    case "crypto":
    case "conversation":
      return own;
    case "middleware":
    case "nameresolution":
      return [];
  }
}

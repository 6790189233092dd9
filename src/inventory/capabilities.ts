import type { Component, ComponentManifest } from "../components/spi/component.ts";

/** What `GET /v1.0/metadata` lists: a state store that can keep actors says so too. */
export function capabilitiesOf(manifest: ComponentManifest, component: Component): readonly string[] {
  const own = component.capabilities ?? manifest.capabilities;
  switch (manifest.family) {
    case "state":
      return own.includes("ETAG") && own.includes("TRANSACTIONAL") ? [...own, "ACTOR"] : own;
    case "pubsub":
    case "secretstores":
    case "bindings":
    case "configuration":
    case "lock":
      return own;
    case "nameresolution":
      return [];
  }
}

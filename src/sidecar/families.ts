import type { ComponentManifest } from "../components/spi/component.ts";
import { inMemoryPubSubManifest } from "../components/in-memory/pubsub-manifest.ts";
import { inMemoryStateManifest } from "../components/in-memory/state-manifest.ts";
import { localEnvManifest } from "../components/local-env/manifest.ts";
import { localFileManifest } from "../components/local-file/manifest.ts";

/** Every component that resources can ask for. Back ends are imported on first use. */
export const COMPONENT_MANIFESTS: readonly ComponentManifest[] = [
  inMemoryStateManifest,
  inMemoryPubSubManifest,
  localFileManifest,
  localEnvManifest,
];

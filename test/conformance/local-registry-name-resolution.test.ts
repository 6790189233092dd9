import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import { localRegistryManifest } from "../../src/components/local-registry/manifest.ts";
import { nameResolutionConformance } from "./name-resolution.ts";

const { deps } = createDeps();

nameResolutionConformance({ manifest: localRegistryManifest, deps: () => deps, metadata: () => ({}) });

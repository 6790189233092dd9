import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import { inMemoryPubSubManifest } from "../../src/components/in-memory/pubsub-manifest.ts";
import { pubsubConformance } from "./pubsub.ts";

pubsubConformance({ manifest: inMemoryPubSubManifest, deps: createDeps().deps, metadata: {} });

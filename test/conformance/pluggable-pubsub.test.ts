import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import { inMemoryPubSubManifest } from "../../src/components/in-memory/pubsub-manifest.ts";
import type { PubSub } from "../../src/components/spi/pubsub.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { pubSubService } from "../harness/pluggable/pubsub-service.ts";
import { pubsubConformance } from "./pubsub.ts";
import { servedManifest } from "./pluggable.ts";

const { deps } = createDeps({ clock: systemClock });
const behind = (await inMemoryPubSubManifest.load())(deps);
await behind.init({}, new AbortController().signal);
const features = ["SUBSCRIBE_WILDCARDS", "BULK_PUBSUB"];

pubsubConformance({
  manifest: await servedManifest<PubSub>([pubSubService(behind, { features })], features),
  deps,
  metadata: {},
});

import { echoManifest } from "../../src/components/echo/manifest.ts";
import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import { conversationConformance } from "./conversation.ts";

conversationConformance({ manifest: echoManifest, deps: createDeps().deps, metadata: () => ({}) });

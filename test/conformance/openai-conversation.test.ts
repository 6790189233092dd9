import { afterAll, beforeAll } from "vitest";
import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import { openaiManifest } from "../../src/components/openai/manifest.ts";
import { type ChatProvider, startChatProvider } from "../harness/chat-provider.ts";
import { conversationConformance } from "./conversation.ts";

let provider: ChatProvider;
beforeAll(async () => {
  provider = await startChatProvider();
});
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
});

conversationConformance({
  manifest: openaiManifest,
  deps: createDeps().deps,
  metadata: () => ({ key: "secret", endpoint: provider.url }),
});

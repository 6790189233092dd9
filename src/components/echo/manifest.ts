import type { ComponentManifest } from "../spi/component.ts";
import type { Conversation } from "../spi/conversation.ts";

/** `conversation.echo`: answers with what it was asked, for tests. */
export const echoManifest: ComponentManifest<Conversation> = {
  family: "conversation",
  type: "conversation.echo",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: [],
  load: async () => (await import("./conversation.ts")).createEchoConversation,
};

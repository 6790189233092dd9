import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { Conversation } from "../spi/conversation.ts";

export const openaiFields = [
  {
    name: "key",
    kind: "string",
    required: true,
    sensitive: true,
    missingText: "missing the OpenAI API key, set it in the OPENAI_API_KEY environment variable",
    description: "API key, sent as a bearer token (Azure: as `api-key`).",
  },
  {
    name: "model",
    kind: "string",
    description:
      "Model to ask, gpt-5-nano (Azure: gpt-4.1-nano) when none is named. OPENAI_MODEL (AZURE_OPENAI_MODEL) in the environment wins.",
  },
  {
    name: "endpoint",
    kind: "string",
    description:
      "Base URL of a service that speaks OpenAI's API, `https://api.openai.com/v1` when none is named; required for Azure.",
  },
  {
    name: "responseCacheTTL",
    kind: "duration",
    aliases: ["cacheTTL"],
    description: "How long an answer is kept and given again to the same request; none is kept without it.",
  },
  { name: "apiType", kind: "string", default: "open_ai", description: "`open_ai` or `azure`." },
  { name: "apiVersion", kind: "string", description: "API version of Azure OpenAI, required there." },
] as const satisfies readonly MetadataField[];

/** `conversation.openai`: chat completions of OpenAI, Azure OpenAI, and every service that speaks the same. */
export const openaiManifest: ComponentManifest<Conversation> = {
  family: "conversation",
  type: "conversation.openai",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: openaiFields,
  load: async () => (await import("./conversation.ts")).createOpenaiConversation,
};

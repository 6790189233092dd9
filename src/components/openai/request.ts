import type {
  ConversationMessage,
  ConversationPart,
  ConversationRequest,
  ConversationRole,
} from "../spi/conversation.ts";

/** Models that take no temperature but their own. */
const REASONING_MODEL = /^(?:o1-|o3$|o3-|gpt-5)/;

/** Choices that are words of the API; anything else is the name of a tool. */
const TOOL_CHOICES: ReadonlySet<string> = new Set(["auto", "none", "required"]);

const ROLES = {
  user: "user",
  generic: "user",
  system: "system",
  assistant: "assistant",
  tool: "tool",
  function: "function",
} as const satisfies Record<ConversationRole, string>;

/** The body of a chat completion, OpenAI's API reference "Create chat completion". Where none is asked for, the temperature is 0, as Dapr's. */
export function chatRequest(model: string, request: ConversationRequest): string {
  const { messages, tools, toolChoice, temperature, responseFormat } = request;
  const metadata = metadataOf(request);
  return JSON.stringify({
    model,
    messages: messages.flatMap(chatMessages),
    ...(REASONING_MODEL.test(model) ? {} : { temperature }),
    ...(responseFormat === undefined ? {} : { response_format: jsonSchemaFormat(responseFormat) }),
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => ({ type: "function", function: tool })) }),
    ...(toolChoice === undefined ? {} : { tool_choice: toolChoiceOf(toolChoice) }),
    ...(metadata === undefined ? {} : { metadata }),
  });
}

function metadataOf({ metadata, promptCacheRetentionMs }: ConversationRequest): Record<string, string> | undefined {
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(metadata)) {
    if (!name.startsWith("openai:")) {
      sent[name] = value;
    }
  }
  if (promptCacheRetentionMs !== undefined) {
    sent["prompt_cache_retention"] = `${promptCacheRetentionMs / 1000}s`;
  }
  return Object.keys(sent).length === 0 ? undefined : sent;
}

/** One message, or one for each result of a tool, since the API takes these singly. */
function chatMessages({ role, parts }: ConversationMessage): unknown[] {
  if (role !== "tool" && role !== "function") {
    return [plainMessage(role, parts)];
  }
  return parts.map((part) =>
    part.kind === "toolResult"
      ? {
          role: ROLES[role],
          content: part.content,
          ...(role === "tool" ? { tool_call_id: part.toolCallId } : { name: part.name }),
        }
      : plainMessage(role, [part]),
  );
}

function plainMessage(role: ConversationRole, parts: readonly ConversationPart[]): unknown {
  const texts = parts.filter((part) => part.kind === "text");
  const calls = parts.filter((part) => part.kind === "toolCall");
  const [only] = texts;
  return {
    role: ROLES[role],
    content: texts.length > 1 ? texts.map(({ text }) => ({ type: "text", text })) : (only?.text ?? ""),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ call }) => ({
            ...(call.id === "" ? {} : { id: call.id }),
            type: "function",
            function: { name: call.name, arguments: call.arguments },
          })),
        }),
  };
}

function toolChoiceOf(choice: string): unknown {
  return TOOL_CHOICES.has(choice) ? choice : { type: "function", function: { name: choice } };
}

/** `name` and `strict` may stand beside the schema's own keywords, as in Dapr. */
function jsonSchemaFormat(given: Readonly<Record<string, unknown>>): unknown {
  const { name, strict, ...schema } = given;
  return {
    type: "json_schema",
    json_schema: {
      name: typeof name === "string" && name !== "" ? name : "response",
      strict: strict === true,
      schema,
    },
  };
}

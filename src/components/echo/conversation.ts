import type {
  Conversation,
  ConversationRequest,
  ConversationResponse,
  ConversationTool,
  ConversationToolCall,
} from "../spi/conversation.ts";
import { ComponentError } from "../spi/errors.ts";

/** Ignores all metadata, as Dapr's does. */
export function createEchoConversation(): Conversation {
  return { init: () => Promise.resolve(), converse, close: () => Promise.resolve() };
}

/**
 * One answer: the texts of all messages, a line each. Every tool that is offered is asked for, with the sorted names of
 * its parameters as arguments, before the calls that stand in the messages. Tokens are words.
 */
async function converse({ messages, tools }: ConversationRequest): Promise<ConversationResponse> {
  const toolCalls = tools.map(callOf);
  const lines: string[] = [];
  for (const { parts } of messages) {
    for (const part of parts) {
      switch (part.kind) {
        case "text":
          lines.push(part.text);
          break;
        case "toolCall":
          toolCalls.push(part.call);
          break;
        case "toolResult":
          lines.push(`Tool Response for tool ID '${part.toolCallId}' with name '${part.name}': ${part.content}`);
      }
    }
  }
  const content = lines.join("\n");
  const tokens = content.split(/\s+/u).filter((word) => word !== "").length;
  const finishReason = toolCalls.length > 0 ? "tool_calls" : "stop";
  return {
    outputs: [{ choices: [{ finishReason, index: 0, content, toolCalls }] }],
    model: "",
    usage: { completionTokens: tokens, promptTokens: tokens, totalTokens: 2 * tokens },
  };
}

function callOf({ name, parameters }: ConversationTool, index: number): ConversationToolCall {
  const properties = parameters["properties"] ?? {};
  if (typeof properties !== "object" || properties === null || Array.isArray(properties)) {
    throw new ComponentError(
      "invalidRequest",
      `parameters.properties of tool ${name} must be an object, not ${JSON.stringify(properties)}`,
    );
  }
  return { id: String(index), name, arguments: Object.keys(properties).toSorted().join(",") };
}

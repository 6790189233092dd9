import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import type { Converse } from "../blocks/conversation/conversation-block.ts";
import type {
  ConversationMessage,
  ConversationPart,
  ConversationResponse,
  ConversationRole,
  ConversationTool,
  ConversationToolCall,
  ConversationUsage,
} from "../components/spi/conversation.ts";
import { conversationErrors } from "../errors/catalogue/conversation.ts";
import { type ApiError, apiError } from "../errors/error.ts";
import type {
  ConversationMessage as MessageOfWire,
  ConversationMessageContent,
  ConversationRequest,
  ConversationRequestAlpha2,
  ConversationResponseAlpha2Schema,
  ConversationResponseSchema,
  ConversationTools,
} from "../wire/gen/dapr/proto/runtime/v1/ai_pb.js";

/** Roles as apps of the first version write them; any other speaks for the user. */
const ALPHA1_ROLES: ReadonlyMap<string, ConversationRole> = new Map([
  ["system", "system"],
  ["assistant", "assistant"],
  ["ai", "assistant"],
  ["tool", "tool"],
  ["function", "function"],
  ["generic", "generic"],
]);

/** A conversation as the first version of the API asks for it: a text for each input, no tools. */
export function converseOfAlpha1(request: ConversationRequest): Converse {
  return {
    name: request.name,
    inputs: request.inputs.map(({ content, role = "", scrubPII = false }) => ({
      messages: [{ role: ALPHA1_ROLES.get(role) ?? "user", parts: [{ kind: "text", text: content }] }],
      scrubPii: scrubPII,
    })),
    scrubPii: request.scrubPII ?? false,
    tools: [],
    toolChoice: undefined,
    temperature: request.temperature ?? 0,
    metadata: {},
    responseFormat: undefined,
    promptCacheRetentionMs: undefined,
  };
}

/** The first choice of each output, with the request's parameters handed back, as Dapr does. */
export function replyOfAlpha1(
  { contextID, parameters }: ConversationRequest,
  response: ConversationResponse,
): MessageInitShape<typeof ConversationResponseSchema> {
  return {
    ...(contextID === undefined || contextID === "" ? {} : { contextID }),
    outputs: response.outputs.map(({ choices }) => ({ result: choices[0]?.content ?? "", parameters })),
  };
}

/** A conversation as the second version of the API asks for it. @throws ApiError for a message or a tool without content */
export function converseOfAlpha2(request: ConversationRequestAlpha2): Converse {
  const { name, promptCacheRetention: retention } = request;
  return {
    name,
    inputs: request.inputs.map(({ messages, scrubPii = false }) => ({
      messages: messages.map((message) => messageOf(message, name)),
      scrubPii,
    })),
    scrubPii: request.scrubPii ?? false,
    tools: request.tools.flatMap(toolOf),
    toolChoice: request.toolChoice,
    temperature: request.temperature ?? 0,
    metadata: request.metadata,
    responseFormat: request.responseFormat,
    promptCacheRetentionMs:
      retention === undefined ? undefined : Number(retention.seconds) * 1000 + Math.trunc(retention.nanos / 1e6),
  };
}

export function replyOfAlpha2(
  { contextId }: ConversationRequestAlpha2,
  { outputs, model, usage }: ConversationResponse,
): MessageInitShape<typeof ConversationResponseAlpha2Schema> {
  return {
    ...(contextId === undefined || contextId === "" ? {} : { contextId }),
    outputs: outputs.map(({ choices }) => ({
      choices: choices.map(({ finishReason, index, content, toolCalls }) => ({
        finishReason,
        index: BigInt(index),
        message: { content, toolCalls: toolCalls.map(toolCallOnWire) },
      })),
      ...(model === "" ? {} : { model }),
      ...(usage === undefined ? {} : { usage: usageOnWire(usage) }),
    })),
  };
}

function messageOf({ messageTypes }: MessageOfWire, component: string): ConversationMessage {
  switch (messageTypes.case) {
    case "ofDeveloper":
    case "ofUser":
      return { role: "user", parts: texts(messageTypes.value.content) };
    case "ofSystem":
      return { role: "system", parts: texts(messageTypes.value.content) };
    case "ofAssistant": {
      const { content, toolCalls } = messageTypes.value;
      const calls = toolCalls.map(({ id = "", toolTypes }): ConversationPart => {
        if (toolTypes.case === undefined) {
          throw invalid(component, "tool types cannot be nil");
        }
        return { kind: "toolCall", call: { id, name: toolTypes.value.name, arguments: toolTypes.value.arguments } };
      });
      return { role: "assistant", parts: [...texts(content), ...calls] };
    }
    case "ofTool": {
      const { toolId: toolCallId = "", name, content } = messageTypes.value;
      return {
        role: "tool",
        parts: content.map(({ text }) => ({ kind: "toolResult", toolCallId, name, content: text })),
      };
    }
    case undefined:
      throw invalid(component, "message type cannot be nil");
  }
}

function texts(content: readonly ConversationMessageContent[]): ConversationPart[] {
  return content.map(({ text }) => ({ kind: "text", text }));
}

/** Tools of no kind are passed over, as in Dapr. */
function toolOf({ toolTypes }: ConversationTools): ConversationTool[] {
  if (toolTypes.case === undefined) {
    return [];
  }
  const { name, description = "", parameters = {} satisfies JsonObject } = toolTypes.value;
  return [{ name, description, parameters }];
}

function toolCallOnWire({ id, name, arguments: json }: ConversationToolCall) {
  const toolTypes = { case: "function" as const, value: { name, arguments: json } };
  return id === "" ? { toolTypes } : { id, toolTypes };
}

function usageOnWire({ completionDetails, promptDetails, ...usage }: ConversationUsage) {
  return {
    completionTokens: BigInt(usage.completionTokens),
    promptTokens: BigInt(usage.promptTokens),
    totalTokens: BigInt(usage.totalTokens),
    ...(completionDetails === undefined
      ? {}
      : {
          completionTokensDetails: {
            acceptedPredictionTokens: BigInt(completionDetails.acceptedPredictionTokens),
            audioTokens: BigInt(completionDetails.audioTokens),
            reasoningTokens: BigInt(completionDetails.reasoningTokens),
            rejectedPredictionTokens: BigInt(completionDetails.rejectedPredictionTokens),
          },
        }),
    ...(promptDetails === undefined
      ? {}
      : {
          promptTokensDetails: {
            audioTokens: BigInt(promptDetails.audioTokens),
            cachedTokens: BigInt(promptDetails.cachedTokens),
          },
        }),
  };
}

function invalid(name: string, reason: string): ApiError {
  return apiError(conversationErrors.invalidParams, { name, reason });
}

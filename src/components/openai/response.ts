import type { ConversationResponse, ConversationToolCall, ConversationUsage } from "../spi/conversation.ts";
import { ComponentError } from "../spi/errors.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads the answer to a chat completion. @throws ComponentError for what is none */
export function readChatResponse(model: string, body: string): ConversationResponse {
  const answer = objectOf(parse(body));
  const choices = listOf(answer["choices"]).map(objectOf);
  if (choices.length === 0) {
    throw new ComponentError("unavailable", "no response");
  }
  return {
    outputs: choices.map((choice, index) => {
      const message = objectOf(choice["message"]);
      const toolCalls = listOf(message["tool_calls"]).map(toolCallOf);
      return {
        choices: [
          {
            finishReason: textOf(choice["finish_reason"]) || "unknown",
            index,
            content: textOf(message["content"]),
            toolCalls,
          },
        ],
      };
    }),
    model,
    usage: usageOf(objectOf(answer["usage"])),
  };
}

/** What the provider said about a refusal: its own message, where its answer has one. */
export function refusalText(status: number, body: string): string {
  const text = `API returned unexpected status code: ${status}`;
  const parsed = (() => {
    try {
      return objectOf(JSON.parse(body));
    } catch {
      return undefined;
    }
  })();
  return parsed === undefined ? text : `${text}: ${textOf(objectOf(parsed["error"])["message"])}`;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new ComponentError("unavailable", "the provider's answer is not JSON", { cause });
  }
}

function toolCallOf(given: unknown): ConversationToolCall {
  const call = objectOf(given);
  const called = objectOf(call["function"]);
  return { id: textOf(call["id"]), name: textOf(called["name"]), arguments: textOf(called["arguments"]) };
}

/** Undefined where nothing was counted, as in Dapr. */
function usageOf(usage: JsonObject): ConversationUsage | undefined {
  const completionTokens = countOf(usage["completion_tokens"]);
  const promptTokens = countOf(usage["prompt_tokens"]);
  const totalTokens = countOf(usage["total_tokens"]);
  if (completionTokens === 0 && promptTokens === 0 && totalTokens === 0) {
    return undefined;
  }
  const completion = objectOf(usage["completion_tokens_details"]);
  const completionDetails = {
    acceptedPredictionTokens: countOf(completion["accepted_prediction_tokens"]),
    audioTokens: countOf(completion["audio_tokens"]),
    reasoningTokens: countOf(completion["reasoning_tokens"]),
    rejectedPredictionTokens: countOf(completion["rejected_prediction_tokens"]),
  };
  const prompt = objectOf(usage["prompt_tokens_details"]);
  const promptDetails = {
    audioTokens: countOf(prompt["audio_tokens"]),
    cachedTokens: countOf(prompt["cached_tokens"]),
  };
  return {
    completionTokens,
    promptTokens,
    totalTokens,
    ...(isAnyCounted(completionDetails) ? { completionDetails } : {}),
    ...(isAnyCounted(promptDetails) ? { promptDetails } : {}),
  };
}

function isAnyCounted(counts: Readonly<Record<string, number>>): boolean {
  return Object.values(counts).some((count) => count > 0);
}

function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Counts are whole and not negative; anything else counts as none. */
function countOf(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

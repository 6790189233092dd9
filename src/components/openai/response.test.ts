import { describe, expect, test } from "vitest";
import { readChatResponse, refusalText } from "./response.ts";

describe("a chat completion's answer", () => {
  test("each choice is an output, with tool calls and usage", () => {
    const body = JSON.stringify({
      choices: [
        { finish_reason: "stop", message: { content: "hello" } },
        {
          finish_reason: "tool_calls",
          message: {
            content: null,
            tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }],
          },
        },
      ],
      usage: {
        prompt_tokens: 2,
        completion_tokens: 3,
        total_tokens: 5,
        completion_tokens_details: { reasoning_tokens: 1 },
        prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      },
    });
    expect(readChatResponse("m", body)).toEqual({
      model: "m",
      outputs: [
        { choices: [{ finishReason: "stop", index: 0, content: "hello", toolCalls: [] }] },
        {
          choices: [
            { finishReason: "tool_calls", index: 1, content: "", toolCalls: [{ id: "1", name: "f", arguments: "{}" }] },
          ],
        },
      ],
      usage: {
        promptTokens: 2,
        completionTokens: 3,
        totalTokens: 5,
        completionDetails: {
          acceptedPredictionTokens: 0,
          audioTokens: 0,
          reasoningTokens: 1,
          rejectedPredictionTokens: 0,
        },
      },
    });
  });

  test.each(["{}", '{"choices":[]}', "null", '{"choices":7}'])("%s is no answer", (body) => {
    expect(() => readChatResponse("m", body)).toThrow("no response");
  });

  test("what is no JSON is said to be none", () => {
    expect(() => readChatResponse("m", "<html>")).toThrow("the provider's answer is not JSON");
  });

  test("no counts, no usage; no reason, unknown", () => {
    expect(readChatResponse("m", '{"choices":[{}],"usage":{"total_tokens":-1}}')).toEqual({
      model: "m",
      outputs: [{ choices: [{ finishReason: "unknown", index: 0, content: "", toolCalls: [] }] }],
      usage: undefined,
    });
  });
});

test.each([
  [401, '{"error":{"message":"bad key"}}', "API returned unexpected status code: 401: bad key"],
  [502, "<html>", "API returned unexpected status code: 502"],
])("a refusal with status %d and %s", (status, body, text) => {
  expect(refusalText(status, body)).toBe(text);
});

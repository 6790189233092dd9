import { describe, expect, test } from "vitest";
import type { ConversationRequest } from "../spi/conversation.ts";
import { chatRequest } from "./request.ts";

const base: ConversationRequest = {
  messages: [{ role: "user", parts: [{ kind: "text", text: "hi" }] }],
  tools: [],
  toolChoice: undefined,
  temperature: 0,
  metadata: {},
  responseFormat: undefined,
  promptCacheRetentionMs: undefined,
};

function sent(model: string, more: Partial<ConversationRequest> = {}): unknown {
  return JSON.parse(chatRequest(model, { ...base, ...more }));
}

describe("a chat completion's body", () => {
  test("has the model, the messages and a temperature", () => {
    expect(sent("gpt-4.1-nano")).toEqual({
      model: "gpt-4.1-nano",
      messages: [{ role: "user", content: "hi" }],
      temperature: 0,
    });
  });

  test.each(["gpt-5-nano", "o1-mini", "o3", "o3-mini"])("%s gets no temperature, which it would refuse", (model) => {
    expect(sent(model, { temperature: 0.7 })).not.toHaveProperty("temperature");
  });

  test("several texts are parts, calls stand beside them, results are messages of their own", () => {
    const body = sent("gpt-5-nano", {
      messages: [
        {
          role: "assistant",
          parts: [
            { kind: "text", text: "a" },
            { kind: "text", text: "b" },
            { kind: "toolCall", call: { id: "1", name: "f", arguments: "{}" } },
          ],
        },
        {
          role: "tool",
          parts: [
            { kind: "toolResult", toolCallId: "1", name: "f", content: "x" },
            { kind: "toolResult", toolCallId: "1", name: "f", content: "y" },
          ],
        },
      ],
    });
    expect(body).toMatchObject({
      messages: [
        {
          role: "assistant",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
          tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "1", content: "x" },
        { role: "tool", tool_call_id: "1", content: "y" },
      ],
    });
  });

  test.each([
    ["auto", "auto"],
    ["required", "required"],
    ["f", { type: "function", function: { name: "f" } }],
  ])("tool choice %s", (toolChoice, expected) => {
    const tools = [{ name: "f", description: "d", parameters: { type: "object" } }];
    expect(sent("gpt-5-nano", { tools, toolChoice })).toMatchObject({
      tools: [{ type: "function", function: { name: "f", description: "d", parameters: { type: "object" } } }],
      tool_choice: expected,
    });
  });

  test("a response format carries the schema under its name", () => {
    const responseFormat = { name: "order", strict: true, type: "object", properties: { id: { type: "string" } } };
    expect(sent("gpt-5-nano", { responseFormat })).toMatchObject({
      response_format: {
        type: "json_schema",
        json_schema: {
          name: "order",
          strict: true,
          schema: { type: "object", properties: { id: { type: "string" } } },
        },
      },
    });
  });

  test("metadata goes along without what is meant for the client, with the retention of the prompt cache", () => {
    expect(
      sent("gpt-5-nano", { metadata: { a: "1", "openai:x": "2" }, promptCacheRetentionMs: 86_400_000 }),
    ).toMatchObject({ metadata: { a: "1", prompt_cache_retention: "86400s" } });
  });
});

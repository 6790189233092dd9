import { describe, expect, test } from "vitest";
import type { ConversationMessage, ConversationRequest } from "../spi/conversation.ts";
import { createEchoConversation } from "./conversation.ts";

const base: ConversationRequest = {
  messages: [],
  tools: [],
  toolChoice: undefined,
  temperature: 0,
  metadata: {},
  responseFormat: undefined,
  promptCacheRetentionMs: undefined,
};

const said = (text: string): ConversationMessage => ({ role: "user", parts: [{ kind: "text", text }] });

describe("echo", () => {
  test("gives the lines of all messages back, counted in words", async () => {
    const { outputs, usage } = await createEchoConversation().converse({
      ...base,
      messages: [said("first  message"), said("second")],
    });
    expect(outputs).toEqual([
      { choices: [{ finishReason: "stop", index: 0, content: "first  message\nsecond", toolCalls: [] }] },
    ]);
    expect(usage).toEqual({ completionTokens: 3, promptTokens: 3, totalTokens: 6 });
  });

  test("asks for every tool with the sorted names of its parameters, then for the calls of the messages", async () => {
    const call = { id: "x", name: "old", arguments: "{}" };
    const { outputs } = await createEchoConversation().converse({
      ...base,
      tools: [
        { name: "weather", description: "", parameters: { properties: { zone: {}, at: {} } } },
        { name: "clock", description: "", parameters: {} },
      ],
      messages: [
        { role: "assistant", parts: [{ kind: "toolCall", call }] },
        { role: "tool", parts: [{ kind: "toolResult", toolCallId: "7", name: "clock", content: "noon" }] },
      ],
    });
    expect(outputs[0]?.choices[0]).toEqual({
      finishReason: "tool_calls",
      index: 0,
      content: "Tool Response for tool ID '7' with name 'clock': noon",
      toolCalls: [{ id: "0", name: "weather", arguments: "at,zone" }, { id: "1", name: "clock", arguments: "" }, call],
    });
  });

  test("refuses parameters whose properties are no object", async () => {
    const tools = [{ name: "t", description: "", parameters: { properties: [] } }];
    await expect(createEchoConversation().converse({ ...base, tools })).rejects.toThrow(
      "parameters.properties of tool t must be an object, not []",
    );
  });
});

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ComponentDeps, ComponentManifest, ComponentMetadata } from "../../src/components/spi/component.ts";
import type { Conversation, ConversationRequest } from "../../src/components/spi/conversation.ts";
import { capabilitySections } from "./sections.ts";

/** How a language model is brought up for the suite; it must answer with the last text it was given. */
export interface ConversationConformance {
  readonly manifest: ComponentManifest<Conversation>;
  readonly deps: ComponentDeps;
  readonly metadata: () => ComponentMetadata;
}

const base: ConversationRequest = {
  messages: [{ role: "user", parts: [{ kind: "text", text: "hello" }] }],
  tools: [],
  toolChoice: undefined,
  temperature: 0,
  metadata: {},
  responseFormat: undefined,
  promptCacheRetentionMs: undefined,
};

/** The contract of a language model as cases. */
export function conversationConformance({ manifest, deps, metadata }: ConversationConformance): void {
  describe(`${manifest.type} keeps the contract of language models`, () => {
    let model: Conversation;
    beforeEach(async () => {
      model = (await manifest.load())(deps);
      await model.init(metadata(), new AbortController().signal);
    });
    afterEach(async () => {
      await model.close();
    });

    capabilitySections(manifest, {}, () => model);

    test("a second close is harmless, and so is one without init", async () => {
      await model.close();
      await model.close();
      await (await manifest.load())(deps).close();
    });

    test("a text is answered by one choice that says why it ended", async () => {
      const { outputs } = await model.converse(base);
      expect(outputs).toEqual([{ choices: [{ finishReason: "stop", index: 0, content: "hello", toolCalls: [] }] }]);
    });

    test("every kind of part and role is taken", async () => {
      const call = { id: "1", name: "weather", arguments: '{"at":"noon"}' };
      const { outputs } = await model.converse({
        ...base,
        tools: [{ name: "weather", description: "", parameters: { type: "object", properties: {} } }],
        toolChoice: "auto",
        messages: [
          { role: "system", parts: [{ kind: "text", text: "be brief" }] },
          {
            role: "assistant",
            parts: [
              { kind: "text", text: "" },
              { kind: "toolCall", call },
            ],
          },
          { role: "tool", parts: [{ kind: "toolResult", toolCallId: "1", name: "weather", content: "sunny" }] },
          { role: "generic", parts: [{ kind: "text", text: "thanks" }] },
        ],
      });
      expect(outputs[0]?.choices[0]?.content).toContain("thanks");
    });

    test("calls at the same time do not mix", async () => {
      const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
      const answers = await Promise.all(
        texts.map((text) => model.converse({ ...base, messages: [{ role: "user", parts: [{ kind: "text", text }] }] })),
      );
      expect(answers.map(({ outputs }) => outputs[0]?.choices[0]?.content)).toEqual(texts);
    });
  });
}

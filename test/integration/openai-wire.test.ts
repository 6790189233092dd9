import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import { openaiManifest } from "../../src/components/openai/manifest.ts";
import type { Conversation, ConversationRequest } from "../../src/components/spi/conversation.ts";
import { Cancellation } from "../../src/kit/cancel-signal.ts";
import { type ChatProvider, completion, startChatProvider } from "../harness/chat-provider.ts";

let provider: ChatProvider;
beforeAll(async () => {
  provider = await startChatProvider();
});
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
});

const { deps, clock } = createDeps();

const request: ConversationRequest = {
  messages: [{ role: "user", parts: [{ kind: "text", text: "hello" }] }],
  tools: [],
  toolChoice: undefined,
  temperature: 0.5,
  metadata: {},
  responseFormat: undefined,
  promptCacheRetentionMs: undefined,
};

async function open(
  metadata: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<Conversation> {
  const model = (await openaiManifest.load())({ ...deps, environment });
  await model.init(metadata, new AbortController().signal);
  return model;
}

describe("on the wire to OpenAI", () => {
  test("the key is a bearer token, the model goes with the request", async () => {
    const model = await open({ key: "k", endpoint: `${provider.url}/`, model: "small" });
    const { model: named } = await model.converse(request);
    await model.close();
    const seen = provider.seen.at(-1);
    expect([named, seen?.url, seen?.headers.authorization]).toEqual(["small", "/v1/chat/completions", "Bearer k"]);
    expect(seen?.body).toMatchObject({ model: "small", temperature: 0.5 });
  });

  test("Azure is asked for the deployment of the model, with the key in its own header", async () => {
    const model = await open(
      { key: "k", endpoint: provider.url, apiType: "Azure", apiVersion: "2025-01-01-preview", model: "written" },
      { AZURE_OPENAI_MODEL: "from the environment" },
    );
    await model.converse(request);
    await model.close();
    const seen = provider.seen.at(-1);
    expect([seen?.url, seen?.headers["api-key"], seen?.headers.authorization]).toEqual([
      "/v1/openai/deployments/from%20the%20environment/chat/completions?api-version=2025-01-01-preview",
      "k",
      undefined,
    ]);
  });

  test.each([
    [{}, "missing the OpenAI API key"],
    [{ key: "k", apiType: "azure" }, "endpoint and apiVersion must be provided when apiType is set to 'azure'"],
    [{ key: "k", endpoint: "ftp://x" }, 'must be an http or https URL, not "ftp://x"'],
  ])("%j is refused", async (metadata, text) => {
    await expect(open(metadata)).rejects.toThrow(text);
  });

  test("answers are kept for the cache's time, by request", async () => {
    const model = await open({ key: "k", endpoint: provider.url, cacheTTL: "1m" });
    const before = provider.seen.length;
    const first = await model.converse(request);
    expect(await model.converse(request)).toEqual(first);
    expect(provider.seen.length).toBe(before + 1);
    await model.converse({ ...request, temperature: 0.6, messages: [...request.messages, ...request.messages] });
    clock.advance(60_000);
    await model.converse(request);
    expect(provider.seen.length).toBe(before + 3);
    await model.close();
  });

  test("a refusal, a broken answer and an answer without use are errors with the provider's words", async () => {
    const model = await open({ key: "k", endpoint: provider.url });
    const { answer } = provider;
    provider.answer = () => ({ status: 429, body: { error: { message: "slow down" } } });
    await expect(model.converse(request)).rejects.toThrow("API returned unexpected status code: 429: slow down");
    provider.answer = () => ({ status: 200, body: "<html>" });
    await expect(model.converse(request)).rejects.toThrow("the provider's answer is not JSON");
    provider.answer = () => ({ status: 200, body: completion("") });
    const tools = [{ name: "f", description: "", parameters: {} }];
    await expect(model.converse({ ...request, tools, toolChoice: "required" })).rejects.toThrow(
      "LLM returned empty response with no tool calls despite 1 tools being available",
    );
    provider.answer = answer;
    await model.close();
  });

  test("nobody is left waiting: a caller who goes and a provider who is not there are errors", async () => {
    const model = await open({ key: "k", endpoint: provider.url });
    const signal = new Cancellation();
    signal.abort(new Error("gone"));
    await expect(model.converse(request, signal)).rejects.toThrow("request cancelled");
    await model.close();
    await expect(model.converse(request)).rejects.toThrow("the conversation component is closed");
    const lonely = await open({ key: "k", endpoint: "http://127.0.0.1:1" });
    await expect(lonely.converse(request)).rejects.toThrow("ECONNREFUSED");
    await lonely.close();
  });
});

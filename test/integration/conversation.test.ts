import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ConversationRequestAlpha2Schema,
  ConversationRequestSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/ai_pb.js";
import { type ChatProvider, completion, startChatProvider } from "../harness/chat-provider.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import { component } from "../harness/resources.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

describe("conversations over both doors", () => {
  let provider: ChatProvider;
  let sidecar: TestSidecar;
  beforeAll(async () => {
    provider = await startChatProvider();
    sidecar = await startTestSidecar({
      resources: [
        component("echo", "conversation.echo"),
        component("gpt", "conversation.openai", { key: "k", endpoint: provider.url, model: "small" }),
      ].join("---\n"),
    });
  });
  afterAll(async () => {
    await sidecar.stop();
    await provider[Symbol.asyncDispose]();
  });

  const post = async (version: string, name: string, body: unknown): Promise<[number, unknown]> => {
    const response = await sidecar.fetch(`/v1.0-${version}/conversation/${name}/converse`, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return [response.status, await response.json()];
  };
  const user = (text: string) => ({ messages: [{ ofUser: { content: [{ text }] } }] });

  it("alpha1 answers with one text for all inputs, and hands context and parameters back", async () => {
    const parameters = { limit: { "@type": "type.googleapis.com/google.protobuf.Int64Value", value: "5" } };
    expect(
      await post("alpha1", "echo", {
        contextID: "c1",
        inputs: [{ content: "hello" }, { content: "to 10.8.9.1", scrubPII: true, role: "system" }],
        parameters,
      }),
    ).toEqual([200, { contextID: "c1", outputs: [{ result: "hello\nto <IP>", parameters }] }]);
  });

  it("alpha2 answers with choices and usage, zero values left out", async () => {
    expect(await post("alpha2", "echo", { contextId: "c2", inputs: [user("user message")] })).toEqual([
      200,
      {
        contextId: "c2",
        outputs: [
          {
            choices: [{ finishReason: "stop", message: { content: "user message" } }],
            usage: { completionTokens: "2", promptTokens: "2", totalTokens: "4" },
          },
        ],
      },
    ]);
  });

  it("tools go to the model and come back as calls", async () => {
    const { answer } = provider;
    provider.answer = () => ({
      status: 200,
      body: {
        choices: [
          {
            finish_reason: "tool_calls",
            message: { tool_calls: [{ id: "1", function: { name: "weather", arguments: '{"at":"noon"}' } }] },
          },
        ],
        usage: {
          prompt_tokens: 9,
          completion_tokens: 4,
          total_tokens: 13,
          prompt_tokens_details: { cached_tokens: 8 },
        },
      },
    });
    const parameters = { type: "object", properties: { at: { type: "string" } } };
    const reply = await post("alpha2", "gpt", {
      inputs: [user("will it rain?")],
      tools: [{ function: { name: "weather", description: "tells it", parameters } }],
      temperature: 0.3,
      responseFormat: { type: "object" },
      promptCacheRetention: "60s",
    });
    provider.answer = answer;
    expect(reply).toEqual([
      200,
      {
        outputs: [
          {
            choices: [
              {
                finishReason: "tool_calls",
                message: { toolCalls: [{ id: "1", function: { name: "weather", arguments: '{"at":"noon"}' } }] },
              },
            ],
            model: "small",
            usage: {
              completionTokens: "4",
              promptTokens: "9",
              totalTokens: "13",
              promptTokensDetails: { cachedTokens: "8" },
            },
          },
        ],
      },
    ]);
    expect(provider.seen.at(-1)?.body).toEqual({
      model: "small",
      messages: [{ role: "user", content: "will it rain?" }],
      temperature: 0.3,
      response_format: {
        type: "json_schema",
        json_schema: { name: "response", strict: false, schema: { type: "object" } },
      },
      tools: [{ type: "function", function: { name: "weather", description: "tells it", parameters } }],
      tool_choice: "auto",
      metadata: { prompt_cache_retention: "60s" },
    });
  });

  it.each([
    [
      "alpha2",
      "nobody",
      { inputs: [user("x")] },
      400,
      "ERR_CONVERSATION_NOT_FOUND",
      "failed finding conversation component nobody",
    ],
    [
      "alpha1",
      "echo",
      {},
      400,
      "ERR_CONVERSATION_MISSING_INPUTS",
      "failed conversing with component echo: missing inputs in request",
    ],
    [
      "alpha2",
      "echo",
      { inputs: [{ messages: [{}] }] },
      400,
      "ERR_CONVERSATION_INVALID_PARMS",
      "failed conversing with component echo: invalid params: message type cannot be nil",
    ],
    [
      "alpha2",
      "echo",
      { inputs: [user("x")], toolChoice: "required" },
      400,
      "ERR_CONVERSATION_INVALID_PARMS",
      "failed conversing with component echo: invalid params: tool choice 'required' needs at least one tool",
    ],
  ])("%s of %s with %j is %i %s", async (version, name, body, status, errorCode, message) => {
    expect(await post(version, name, body)).toEqual([status, { errorCode, message }]);
  });

  it("a body that is no JSON is refused", async () => {
    const [status, body] = await post("alpha2", "echo", "{");
    expect([status, (body as { errorCode: string }).errorCode]).toEqual([400, "ERR_MALFORMED_REQUEST"]);
  });

  it("a provider's refusal reaches the caller", async () => {
    const { answer } = provider;
    provider.answer = () => ({ status: 401, body: { error: { message: "bad key" } } });
    const reply = await post("alpha2", "gpt", { inputs: [user("x")] });
    provider.answer = answer;
    expect(reply).toEqual([
      500,
      {
        errorCode: "ERR_CONVERSATION_INVOKE",
        message: "failed conversing with component gpt: API returned unexpected status code: 401: bad key",
      },
    ]);
  });

  it("gRPC has the same two versions", async () => {
    const alpha1 = await sidecar.grpc.call(
      daprMethods.converseAlpha1,
      create(ConversationRequestSchema, { name: "echo", inputs: [{ content: "call +2222222222" }], scrubPII: true }),
    );
    expect(alpha1.outputs.map(({ result }) => result)).toEqual(["call <PHONE_NUMBER>"]);
    provider.answer = () => ({ status: 200, body: completion("hi") });
    const alpha2 = await sidecar.grpc.call(
      daprMethods.converseAlpha2,
      create(ConversationRequestAlpha2Schema, {
        name: "gpt",
        inputs: [{ messages: [{ messageTypes: { case: "ofUser", value: { content: [{ text: "hello" }] } } }] }],
      }),
    );
    expect(alpha2.outputs[0]?.choices[0]).toMatchObject({ finishReason: "stop", message: { content: "hi" } });
    expect(alpha2.outputs[0]?.model).toBe("small");
  });
});

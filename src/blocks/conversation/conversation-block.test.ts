import { describe, expect, test } from "vitest";
import type { ComponentManifest } from "../../components/spi/component.ts";
import type { Conversation, ConversationRequest } from "../../components/spi/conversation.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import { ApiError } from "../../errors/error.ts";
import { LiveView } from "../../inventory/view.ts";
import { Cancellation } from "../../kit/cancel-signal.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { type Converse, createConversationBlock, SCRUBBED_CHARACTERS_MAX } from "./conversation-block.ts";

const manifest: ComponentManifest<Conversation> = {
  family: "conversation",
  type: "conversation.fake",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: [],
  load: () => Promise.reject(new Error("not in these tests")),
};

function setUp(answer = "mail me: a@b.example", failure?: Error) {
  const components = new LiveView<Conversation>();
  const asked: ConversationRequest[] = [];
  const counted: unknown[] = [];
  const attempts: number[] = [];
  const component: Conversation = {
    init: async () => undefined,
    close: async () => undefined,
    async converse(request) {
      asked.push(request);
      if (failure !== undefined) throw failure;
      const choices = [{ finishReason: "stop", index: 0, content: answer, toolCalls: [] }];
      return { outputs: [{ choices }], model: "m", usage: undefined };
    },
  };
  const block = createConversationBlock({
    components,
    clock: new VirtualClock(),
    calls: { of: (name) => ({ record: (...call) => void counted.push([name, ...call]) }) },
    policy: (name) =>
      name === "guarded"
        ? { repeats: true, run: (attempt) => attempt(new Cancellation(), attempts.push(1)) }
        : undefined,
  });
  for (const name of ["llm", "guarded"]) {
    components.set({ name, manifest, version: "v1", metadata: {}, secretNames: {}, component });
  }
  return { block, asked, counted, attempts, components };
}

const input = (text: string, scrubPii = false): Converse["inputs"][number] => ({
  messages: [{ role: "user", parts: [{ kind: "text", text }] }],
  scrubPii,
});

const base: Converse = {
  name: "llm",
  inputs: [input("hi")],
  scrubPii: false,
  tools: [],
  toolChoice: undefined,
  temperature: 0,
  metadata: {},
  responseFormat: undefined,
  promptCacheRetentionMs: undefined,
};

const tool = { name: "weather", description: "", parameters: {} };

async function failure(run: Promise<unknown>): Promise<[string, string]> {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ApiError);
  return [(error as ApiError).entry.code, (error as ApiError).message];
}

describe("conversations", () => {
  test("personal data is taken out of the inputs that say so, and of the answer when the request says so", async () => {
    const { block, asked } = setUp();
    const inputs = [input("from 10.8.9.1", true), input("from 10.8.9.2")];
    const { outputs } = await block.converse({ ...base, inputs, scrubPii: true });
    expect(asked[0]?.messages.map(({ parts }) => parts[0])).toEqual([
      { kind: "text", text: "from <IP>" },
      { kind: "text", text: "from 10.8.9.2" },
    ]);
    expect(outputs[0]?.choices[0]?.content).toBe("mail me: <EMAIL_ADDRESS>");
    expect((await block.converse(base)).outputs[0]?.choices[0]?.content).toBe("mail me: a@b.example");
  });

  test("more text than is scrubbed at a time is refused by its limit", async () => {
    const { block, asked } = setUp();
    const inputs = [input("a".repeat(SCRUBBED_CHARACTERS_MAX), true), input("b", true)];
    expect(await failure(block.converse({ ...base, inputs }))).toEqual([
      "ERR_CONVERSATION_INVALID_PARMS",
      "failed conversing with component llm: invalid params: more than 131072 characters to scrub of personal data; send fewer at a time, or scrub them in the app",
    ]);
    expect(asked).toEqual([]);
  });

  test.each([
    [undefined, [], undefined],
    [undefined, [tool], "auto"],
    ["none", [], "none"],
    ["required", [tool], "required"],
    ["weather", [tool], "weather"],
  ])("tool choice %s with %j is %s", async (toolChoice, tools, expected) => {
    const { block, asked } = setUp();
    await block.converse({ ...base, tools, toolChoice });
    expect(asked[0]?.toolChoice).toBe(expected);
  });

  test.each([
    ["required", [], "tool choice 'required' needs at least one tool"],
    ["other", [tool], `tool choice "other" must be 'auto', 'none', 'required', or the name of one of the tools`],
  ])("tool choice %s with %j is refused", async (toolChoice, tools, reason) => {
    expect(await failure(setUp().block.converse({ ...base, tools, toolChoice }))).toEqual([
      "ERR_CONVERSATION_INVALID_PARMS",
      `failed conversing with component llm: invalid params: ${reason}`,
    ]);
  });

  test("what is missing is named", async () => {
    const { block, components } = setUp();
    expect(await failure(block.converse({ ...base, inputs: [] }))).toEqual([
      "ERR_CONVERSATION_MISSING_INPUTS",
      "failed conversing with component llm: missing inputs in request",
    ]);
    components.delete("llm");
    expect(await failure(block.converse(base))).toEqual([
      "ERR_CONVERSATION_NOT_FOUND",
      "failed finding conversation component llm",
    ]);
  });

  test("a component's failure carries its words, and is counted", async () => {
    const { block, counted } = setUp("", new ComponentError("unavailable", "no response"));
    expect(await failure(block.converse(base))).toEqual([
      "ERR_CONVERSATION_INVOKE",
      "failed conversing with component llm: no response",
    ]);
    expect(counted).toEqual([["llm", "", false, 0]]);
  });

  test("a policy runs the call", async () => {
    const { block, attempts, counted } = setUp();
    await block.converse({ ...base, name: "guarded" });
    expect(attempts).toEqual([1]);
    expect(counted).toEqual([["guarded", "", true, 0]]);
  });
});

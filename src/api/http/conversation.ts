import { callerSignal } from "./caller-signal.ts";
import type { ConversationBlock } from "../../blocks/conversation/conversation-block.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { respondJson } from "./reply.ts";
import type { Route } from "./route.ts";

export interface ConversationRoutesOptions {
  /** Bytes of a request body; 0: no limit. */
  readonly maxBodyBytes: number;
}

type Answer = (block: ConversationBlock, name: string, body: Uint8Array, signal: CancelSignal) => Promise<string>;

/** Route 35 of the HTTP API in its two versions, which have schemas of their own. */
export function conversationRoutes(block: ConversationBlock, { maxBodyBytes }: ConversationRoutesOptions): Route[] {
  const route = (version: "alpha1" | "alpha2", answer: () => Promise<Answer>): Route => ({
    methods: ["POST"],
    path: `/v1.0-${version}/conversation/:name/converse`,
    group: { name: "conversation", version: `v1${version}` },
    name: "Converse",
    async handler(exchange, params) {
      const [reply, body] = await Promise.all([answer(), exchange.readBody(maxBodyBytes)]);
      respondJson(exchange, 200, await reply(block, params["name"] ?? "", body, callerSignal(exchange)));
    },
  });
  return [
    route("alpha1", async () => (await messages()).answerAlpha1),
    route("alpha2", async () => (await messages()).answerAlpha2),
  ];
}

/** Protobuf is loaded with the first conversation. */
function messages(): Promise<typeof import("./conversation-messages.ts")> {
  return import("./conversation-messages.ts");
}

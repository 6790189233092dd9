import { create } from "@bufbuild/protobuf";
import type { ConversationBlock } from "../../blocks/conversation/conversation-block.ts";
import {
  ConversationResponseAlpha2Schema,
  ConversationResponseSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/ai_pb.js";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { converseOfAlpha1, converseOfAlpha2, replyOfAlpha1, replyOfAlpha2 } from "../conversation-messages.ts";
import type { ServiceHandlers } from "./service.ts";

/** The conversation methods of `dapr.proto.runtime.v1.Dapr`. */
export function conversationHandlers(
  block: ConversationBlock,
): Pick<ServiceHandlers<typeof Dapr>, "converseAlpha1" | "converseAlpha2"> {
  return {
    converseAlpha1: async (request, call) => {
      const response = await block.converse({ ...converseOfAlpha1(request), signal: call.cancellation });
      return create(ConversationResponseSchema, replyOfAlpha1(request, response));
    },
    converseAlpha2: async (request, call) => {
      const response = await block.converse({ ...converseOfAlpha2(request), signal: call.cancellation });
      return create(ConversationResponseAlpha2Schema, replyOfAlpha2(request, response));
    },
  };
}

import { create, toJsonString } from "@bufbuild/protobuf";
import type { ConversationBlock } from "../../blocks/conversation/conversation-block.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import {
  ConversationRequestAlpha2Schema,
  ConversationRequestSchema,
  ConversationResponseAlpha2Schema,
  ConversationResponseSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/ai_pb.js";
import { converseOfAlpha1, converseOfAlpha2, replyOfAlpha1, replyOfAlpha2 } from "../conversation-messages.ts";
import { decodeProtoJson, WELL_KNOWN_TYPES } from "./proto-json.ts";

/** @returns protobuf JSON of the answer. @throws ApiError */
export async function answerAlpha1(
  block: ConversationBlock,
  name: string,
  body: Uint8Array,
  signal: CancelSignal,
): Promise<string> {
  const request = { ...decodeProtoJson(ConversationRequestSchema, body, WELL_KNOWN_TYPES), name };
  const response = await block.converse({ ...converseOfAlpha1(request), signal });
  const reply = create(ConversationResponseSchema, replyOfAlpha1(request, response));
  return toJsonString(ConversationResponseSchema, reply, { registry: WELL_KNOWN_TYPES });
}

/** @returns protobuf JSON of the answer. @throws ApiError */
export async function answerAlpha2(
  block: ConversationBlock,
  name: string,
  body: Uint8Array,
  signal: CancelSignal,
): Promise<string> {
  const request = { ...decodeProtoJson(ConversationRequestAlpha2Schema, body, WELL_KNOWN_TYPES), name };
  const response = await block.converse({ ...converseOfAlpha2(request), signal });
  const reply = create(ConversationResponseAlpha2Schema, replyOfAlpha2(request, response));
  return toJsonString(ConversationResponseAlpha2Schema, reply, { registry: WELL_KNOWN_TYPES });
}

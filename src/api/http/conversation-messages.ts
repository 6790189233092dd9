import { create, createRegistry, toJsonString } from "@bufbuild/protobuf";
import {
  file_google_protobuf_duration,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import type { ConversationBlock } from "../../blocks/conversation/conversation-block.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import {
  ConversationRequestAlpha2Schema,
  ConversationRequestSchema,
  ConversationResponseAlpha2Schema,
  ConversationResponseSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/ai_pb.js";
import { converseOfAlpha1, converseOfAlpha2, replyOfAlpha1, replyOfAlpha2 } from "../conversation-messages.ts";
import { decodeProtoJson } from "./proto-json.ts";

/** What `parameters` may hold: the types that come with protobuf. */
const PARAMETER_TYPES = createRegistry(
  file_google_protobuf_duration,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
);

/** @returns protobuf JSON of the answer. @throws ApiError */
export async function answerAlpha1(
  block: ConversationBlock,
  name: string,
  body: Uint8Array,
  signal: CancelSignal,
): Promise<string> {
  const request = { ...decodeProtoJson(ConversationRequestSchema, body, PARAMETER_TYPES), name };
  const response = await block.converse({ ...converseOfAlpha1(request), signal });
  const reply = create(ConversationResponseSchema, replyOfAlpha1(request, response));
  return toJsonString(ConversationResponseSchema, reply, { registry: PARAMETER_TYPES });
}

/** @returns protobuf JSON of the answer. @throws ApiError */
export async function answerAlpha2(
  block: ConversationBlock,
  name: string,
  body: Uint8Array,
  signal: CancelSignal,
): Promise<string> {
  const request = { ...decodeProtoJson(ConversationRequestAlpha2Schema, body, PARAMETER_TYPES), name };
  const response = await block.converse({ ...converseOfAlpha2(request), signal });
  const reply = create(ConversationResponseAlpha2Schema, replyOfAlpha2(request, response));
  return toJsonString(ConversationResponseAlpha2Schema, reply, { registry: PARAMETER_TYPES });
}

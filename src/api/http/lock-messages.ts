import { create, type DescMessage, fromJsonString, type MessageShape } from "@bufbuild/protobuf";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { apiError } from "../../errors/error.ts";
import { errorMessage } from "../../kit/error-message.ts";
import {
  type TryLockRequest,
  TryLockRequestSchema,
  type UnlockRequest,
  UnlockRequestSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/lock_pb.js";

/** @throws ApiError ERR_MALFORMED_REQUEST */
export function decodeTryLock(body: Uint8Array): TryLockRequest {
  return decode(TryLockRequestSchema, body);
}

/** @throws ApiError ERR_MALFORMED_REQUEST */
export function decodeUnlock(body: Uint8Array): UnlockRequest {
  return decode(UnlockRequestSchema, body);
}

/** Protobuf JSON with unknown fields passed over; an empty body is an empty message, as in Dapr. */
function decode<D extends DescMessage>(schema: D, body: Uint8Array): MessageShape<D> {
  if (body.byteLength === 0) {
    return create(schema);
  }
  try {
    return fromJsonString(schema, Buffer.from(body).toString(), { ignoreUnknownFields: true });
  } catch (cause) {
    throw apiError(commonErrors.malformedRequest, { reason: errorMessage(cause) }, { cause });
  }
}

import {
  type TryLockRequest,
  TryLockRequestSchema,
  type UnlockRequest,
  UnlockRequestSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/lock_pb.js";
import { decodeProtoJson } from "./proto-json.ts";

/** @throws ApiError ERR_MALFORMED_REQUEST */
export function decodeTryLock(body: Uint8Array): TryLockRequest {
  return decodeProtoJson(TryLockRequestSchema, body);
}

/** @throws ApiError ERR_MALFORMED_REQUEST */
export function decodeUnlock(body: Uint8Array): UnlockRequest {
  return decodeProtoJson(UnlockRequestSchema, body);
}

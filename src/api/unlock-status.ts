import type { UnlockStatus } from "../components/spi/lock.ts";
import type { UnlockResponse_Status } from "../wire/gen/dapr/proto/runtime/v1/lock_pb.js";

/** Numbers of the wire's enum, stated here so that the HTTP API starts without protobuf. */
const NUMBERS = {
  success: 0,
  lockDoesNotExist: 1,
  lockBelongsToOthers: 2,
  internalError: 3,
} as const satisfies Readonly<Record<UnlockStatus, UnlockResponse_Status>>;

/** `UnlockResponse.Status` of an outcome; HTTP answers show the number too. */
export function unlockStatusNumber(status: UnlockStatus): UnlockResponse_Status {
  return NUMBERS[status];
}

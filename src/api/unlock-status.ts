import type { UnlockStatus } from "../components/spi/lock.ts";
import { UnlockResponse_Status } from "../wire/gen/dapr/proto/runtime/v1/lock_pb.js";

const NUMBERS: Readonly<Record<UnlockStatus, UnlockResponse_Status>> = {
  success: UnlockResponse_Status.SUCCESS,
  lockDoesNotExist: UnlockResponse_Status.LOCK_DOES_NOT_EXIST,
  lockBelongsToOthers: UnlockResponse_Status.LOCK_BELONGS_TO_OTHERS,
  internalError: UnlockResponse_Status.INTERNAL_ERROR,
};

/** `UnlockResponse.Status` of an outcome; HTTP answers show the number too. */
export function unlockStatusNumber(status: UnlockStatus): UnlockResponse_Status {
  return NUMBERS[status];
}

import type { Component } from "./component.ts";

export interface TryLockRequest {
  readonly resourceId: string;
  readonly owner: string;
  readonly expirySeconds: number;
}

export interface UnlockRequest {
  readonly resourceId: string;
  readonly owner: string;
}

/** Outcomes of an unlock, with the numbers of `UnlockResponse.Status`. */
export type UnlockStatus = "success" | "lockDoesNotExist" | "lockBelongsToOthers" | "internalError";

/** A distributed lock. A lock that has expired belongs to nobody. */
export interface LockStore extends Component {
  /** @returns false when somebody else holds it */
  tryLock(request: TryLockRequest): Promise<boolean>;
  unlock(request: UnlockRequest): Promise<UnlockStatus>;
}

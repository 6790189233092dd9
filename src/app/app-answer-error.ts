import type { FailureStatus } from "../resiliency/types.ts";

/** The app answered a call of the sidecar's own with a status that is no success. */
export class AppAnswerError extends Error {
  override readonly name = "AppAnswerError";
  /** For policies that match on it. */
  readonly status: FailureStatus;

  constructor(message: string, status: FailureStatus) {
    super(message);
    this.status = status;
  }
}

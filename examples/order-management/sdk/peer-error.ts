import { reasonOf } from "./reason.ts";

/** Thrown when a sidecar, a component or another app did not do what it was asked for; asking again may help. */
export class PeerError extends Error {
  override readonly name = "PeerError";

  /** `what` says who did not do what. */
  constructor(what: string, cause: unknown) {
    super(`${what}: ${reasonOf(cause)}`, { cause });
  }
}

import { ComponentError } from "./errors.ts";
import type { StateFence, StateSetRequest } from "./state.ts";

/** Another writer has moved the fence since it was read, or it is gone. */
export function fenceMismatch({ key }: StateFence): ComponentError {
  return new ComponentError("fenceMismatch", `the fence ${key} does not hold what was expected`, { facts: { key } });
}

/** The write that moves a fence on, as stores know writes; the condition is theirs to add. */
export function fenceWrite({ key, next }: StateFence): StateSetRequest {
  return { key, value: next, valueIsJson: true, etag: undefined, metadata: {}, concurrency: "", consistency: "" };
}

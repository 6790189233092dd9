import { ComponentError } from "./errors.ts";

/** The write was made against another version of the item. The text is the one Dapr's stores give, with their reason. */
export function etagMismatch(reason: string): ComponentError {
  return new ComponentError("etagMismatch", `possible etag mismatch. error from state store: ${reason}`);
}

/** The etag is none that this store could have given out. */
export function etagInvalid(reason: string): ComponentError {
  return new ComponentError("etagInvalid", `invalid etag value: ${reason}`);
}

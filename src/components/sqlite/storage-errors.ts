import { StorageError } from "../../storage/errors.ts";
import { ComponentError } from "../spi/errors.ts";

/** What a component says when its database fails. Anything but a StorageError is a bug and is thrown on. */
export function componentErrorOf(error: unknown): ComponentError {
  if (!(error instanceof StorageError)) {
    throw error;
  }
  const kind = error.kind === "timeout" ? "timeout" : "unavailable";
  return new ComponentError(kind, error.message, { cause: error, facts: { sqliteCode: error.code } });
}

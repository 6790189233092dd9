import { isUtf8 } from "node:buffer";
import { stateErrors } from "../../errors/catalogue/state.ts";
import { apiError } from "../../errors/error.ts";

/** First character of a token's text, so that its form may change. */
const VERSION = "1";

/** Where the next page begins: behind this key. It holds for every sidecar of the app, and across restarts. */
export function encodePageToken(lastKey: string | undefined): string {
  return Buffer.from(VERSION + (lastKey ?? "")).toString("base64url");
}

/** @throws ApiError for a text that is no token */
export function decodePageToken(token: string): string {
  const bytes = Buffer.from(token, "base64url");
  const text = bytes.toString();
  if (bytes.toString("base64url") !== token || !isUtf8(bytes) || !text.startsWith(VERSION)) {
    throw apiError(stateErrors.listToken, {});
  }
  return text.slice(VERSION.length);
}

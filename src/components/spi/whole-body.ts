import { BodyTooLargeError } from "../../net/http/errors.ts";
import { joinChunks } from "../../net/http/headers.ts";
import type { Body } from "../../net/http/types.ts";

/** Bytes of a body that a middleware holds where the sidecar itself has no limit. */
export const HELD_BODY_BYTES_MAX = 64 * 1024 * 1024;

/**
 * All of a body, for a middleware that cannot do with a stream.
 * @param bytesMax 0: `HELD_BODY_BYTES_MAX`
 * @throws BodyTooLargeError, which callers of the API see as 413
 */
export async function wholeBody(body: Body, bytesMax: number): Promise<Uint8Array> {
  const limit = bytesMax === 0 ? HELD_BODY_BYTES_MAX : bytesMax;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    length += chunk.byteLength;
    if (length > limit) {
      throw new BodyTooLargeError(limit);
    }
    chunks.push(chunk);
  }
  return joinChunks(chunks, length);
}

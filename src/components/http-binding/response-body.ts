import { EMPTY_BODY, joinChunks } from "../../net/http/headers.ts";
import type { Body } from "../../net/http/types.ts";

/** At most the first `bytesMax` bytes of a body (0: all of it); the rest is given up, as Dapr's binding does. */
export async function readUpTo(body: Body, bytesMax: number): Promise<Uint8Array> {
  if (body instanceof Uint8Array) {
    return bytesMax > 0 ? body.subarray(0, bytesMax) : body;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.byteLength;
    if (bytesMax > 0 && length >= bytesMax) {
      break;
    }
  }
  const whole = length === 0 ? EMPTY_BODY : joinChunks(chunks, length);
  return bytesMax > 0 ? whole.subarray(0, bytesMax) : whole;
}

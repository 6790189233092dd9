import { zlib } from "../../kit/lazy-builtins.ts";
import { COMPRESS_BYTES_MAX, COMPRESS_BYTES_MIN } from "./limits.ts";

/** Much of the gain for little of the cost. */
const LEVEL = 1;

/** A message as gzip, or undefined where it is sent as it is: too small to gain, or so large that the event loop would wait. */
export function gzipMessage(message: Uint8Array): Uint8Array | undefined {
  const { length } = message;
  if (length < COMPRESS_BYTES_MIN || length > COMPRESS_BYTES_MAX) return undefined;
  const gzip = zlib().gzipSync(message, { level: LEVEL });
  return gzip.length < length ? gzip : undefined;
}

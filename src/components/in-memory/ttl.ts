import { goQuote } from "../../kit/go-quote.ts";
import { ComponentError } from "../spi/errors.ts";
import type { RequestMetadata } from "../spi/request-metadata.ts";

const INT64_MAX = (1n << 63n) - 1n;

/** The last second that RFC 3339 can name. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * When an item written now expires by its metadata `ttlInSeconds`, in milliseconds of wall time; Infinity: never, which
 * zero and negative values mean too. Texts of errors are Go's `strconv.Atoi`.
 * @throws ComponentError `invalidRequest` for a value that is no integer
 */
export function expiryMs(metadata: RequestMetadata, nowMs: number): number {
  const text = metadata["ttlInSeconds"];
  if (text === undefined || text === "") {
    return Infinity;
  }
  if (!/^[+-]?[0-9]+$/.test(text)) {
    throw new ComponentError("invalidRequest", `strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`);
  }
  const seconds = BigInt(text.startsWith("+") ? text.slice(1) : text);
  if (seconds > INT64_MAX || seconds < -INT64_MAX - 1n) {
    throw new ComponentError("invalidRequest", `strconv.Atoi: parsing ${goQuote(text)}: value out of range`);
  }
  return seconds <= 0n ? Infinity : Math.min(nowMs + Number(seconds) * 1_000, LATEST_MS);
}

/** RFC 3339 in UTC, whole seconds, as `ttlExpireTime` in an item's metadata. */
export function ttlExpireTime(expiresAtMs: number): string {
  return `${new Date(expiresAtMs).toISOString().slice(0, 19)}Z`;
}

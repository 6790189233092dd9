import { goQuote } from "../../kit/go-quote.ts";
import { ComponentError } from "./errors.ts";
import type { RequestMetadata } from "./request-metadata.ts";

const INT64_MAX = (1n << 63n) - 1n;

/** The longest life that a store can give, and how it says that a wish is longer. */
export interface TtlLimit {
  readonly secondsMax: bigint;
  readonly refusal: string;
}

/**
 * Seconds that an item written now lives, by its metadata `ttlInSeconds`; undefined: for ever, which zero and -1 mean
 * too. Texts of errors are Dapr's (components-contrib state/utils).
 * @throws ComponentError `invalidRequest`
 */
export function ttlSeconds(metadata: RequestMetadata, { secondsMax, refusal }: TtlLimit): number | undefined {
  const text = metadata["ttlInSeconds"];
  if (text === undefined || text === "") {
    return undefined;
  }
  if (!/^[+-]?[0-9]+$/.test(text)) {
    throw refused(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
  }
  const seconds = BigInt(text.startsWith("+") ? text.slice(1) : text);
  if (seconds > INT64_MAX || seconds < -INT64_MAX - 1n) {
    throw refused(`strconv.ParseInt: parsing ${goQuote(text)}: value out of range`);
  }
  if (seconds < -1n) {
    throw refused("must be -1 or greater");
  }
  if (seconds > secondsMax) {
    throw refused(refusal);
  }
  return seconds > 0n ? Number(seconds) : undefined;
}

function refused(why: string): ComponentError {
  return new ComponentError("invalidRequest", `error parsing TTL: incorrect value for metadata 'ttlInSeconds': ${why}`);
}

import { goQuote } from "../../kit/go-quote.ts";

const INT64_MAX = (1n << 63n) - 1n;

/**
 * A decimal integer of 64 bits, as Go's `strconv` reads it.
 * @throws RangeError with the text of the Go function called `reader`
 */
export function parseGoInteger(text: string, reader: "Atoi" | "ParseInt"): bigint {
  if (!/^[+-]?[0-9]+$/.test(text)) {
    throw new RangeError(`strconv.${reader}: parsing ${goQuote(text)}: invalid syntax`);
  }
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  if (value > INT64_MAX || value < -INT64_MAX - 1n) {
    throw new RangeError(`strconv.${reader}: parsing ${goQuote(text)}: value out of range`);
  }
  return value;
}

import { goTimeQuote } from "./go-quote.ts";

const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;

/** Nanoseconds of each unit; both the micro sign (U+00B5) and the Greek mu (U+03BC) spell microseconds. */
const UNITS_NS: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["\u00B5s", 1_000n],
  ["\u03BCs", 1_000n],
  ["ms", NS_PER_MS],
  ["s", NS_PER_SECOND],
  ["m", 60n * NS_PER_SECOND],
  ["h", 3_600n * NS_PER_SECOND],
]);

/** One step beyond the largest duration Go can hold; only a negative duration may be that large. */
const MAGNITUDE_NS_MAX = 1n << 63n;
const FRACTION_MAX = (1n << 63n) - 1n;

/** Thrown for text that Go's `time.ParseDuration` refuses; the message is Go's. */
export class InvalidDurationError extends Error {
  override readonly name = "InvalidDurationError";
}

/**
 * Reads a duration as Go's `time.ParseDuration` does (`300ms`, `-1.5h`, `2h45m`, `0`) and gives milliseconds, with a
 * fraction where the text is finer than that.
 * @throws InvalidDurationError
 */
export function parseGoDuration(text: string): number {
  const nanoseconds = parseNanoseconds(text);
  return Number(nanoseconds / NS_PER_MS) + Number(nanoseconds % NS_PER_MS) / 1e6;
}

function parseNanoseconds(text: string): bigint {
  const negative = text.startsWith("-");
  let at = negative || text.startsWith("+") ? 1 : 0;
  if (text.length - at === 1 && text[at] === "0") {
    return 0n;
  }
  if (at === text.length) {
    throw invalid(text);
  }
  let total = 0n;
  while (at < text.length) {
    const wholeEnd = skipDigits(text, at);
    const whole = text.slice(at, wholeEnd);
    let fraction = "";
    at = wholeEnd;
    if (text[at] === ".") {
      const fractionEnd = skipDigits(text, at + 1);
      fraction = text.slice(at + 1, fractionEnd);
      at = fractionEnd;
    }
    if (whole === "" && fraction === "") {
      throw invalid(text);
    }
    const unitEnd = skipUnit(text, at);
    total = BigInt.asUintN(64, total + segmentNanoseconds(text, whole, fraction, text.slice(at, unitEnd)));
    if (total > MAGNITUDE_NS_MAX) {
      throw invalid(text);
    }
    at = unitEnd;
  }
  if (!negative && total === MAGNITUDE_NS_MAX) {
    throw invalid(text);
  }
  return negative ? -total : total;
}

/** The order of checks is Go's, so that the first complaint is the same. */
function segmentNanoseconds(text: string, whole: string, fraction: string, unit: string): bigint {
  const wholeUnits = whole === "" ? 0n : BigInt(whole);
  if (wholeUnits > MAGNITUDE_NS_MAX) {
    throw invalid(text);
  }
  if (unit === "") {
    throw new InvalidDurationError(`time: missing unit in duration ${goTimeQuote(text)}`);
  }
  const unitNs = UNITS_NS.get(unit);
  if (unitNs === undefined) {
    throw new InvalidDurationError(`time: unknown unit ${goTimeQuote(unit)} in duration ${goTimeQuote(text)}`);
  }
  if (wholeUnits > MAGNITUDE_NS_MAX / unitNs) {
    throw invalid(text);
  }
  const total = wholeUnits * unitNs + fractionNanoseconds(fraction, unitNs);
  if (total > MAGNITUDE_NS_MAX) {
    throw invalid(text);
  }
  return total;
}

/** Digits beyond what 63 bits hold are dropped, and the product is truncated in float64: both as Go does. */
function fractionNanoseconds(digits: string, unitNs: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    if (value > FRACTION_MAX / 10n) {
      break;
    }
    const next = value * 10n + BigInt(digit);
    if (next > MAGNITUDE_NS_MAX) {
      break;
    }
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(unitNs) / scale)));
}

/** Writes milliseconds as Go's `Duration.String` does: `1h0m0s`, `1.5s`, `250µs`, `0s`. Rounded to whole nanoseconds. */
export function formatGoDuration(milliseconds: number): string {
  const wholeMs = Math.trunc(milliseconds);
  const signed = BigInt(wholeMs) * NS_PER_MS + BigInt(Math.round((milliseconds - wholeMs) * 1e6));
  const magnitude = signed < 0n ? -signed : signed;
  return (signed < 0n ? "-" : "") + formatMagnitude(magnitude);
}

function formatMagnitude(ns: bigint): string {
  if (ns === 0n) {
    return "0s";
  }
  if (ns < 1_000n) {
    return `${ns}ns`;
  }
  if (ns < NS_PER_MS) {
    return `${decimal(ns, 3)}\u00B5s`;
  }
  if (ns < NS_PER_SECOND) {
    return `${decimal(ns, 6)}ms`;
  }
  const minutes = ns / (60n * NS_PER_SECOND);
  const seconds = `${decimal(ns % (60n * NS_PER_SECOND), 9)}s`;
  if (minutes === 0n) {
    return seconds;
  }
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** `value / 10^places` without trailing zeros. */
function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  return digits.slice(0, -places) + (fraction === "" ? "" : `.${fraction}`);
}

function skipDigits(text: string, from: number): number {
  let at = from;
  while (at < text.length && isDigit(text.charCodeAt(at))) {
    at++;
  }
  return at;
}

function skipUnit(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== "." && !isDigit(text.charCodeAt(at))) {
    at++;
  }
  return at;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function invalid(text: string): InvalidDurationError {
  return new InvalidDurationError(`time: invalid duration ${goTimeQuote(text)}`);
}

import { InvalidDurationError, parseGoDuration } from "../../../kit/duration.ts";
import { addIsoDuration, parseIsoDuration } from "../../../kit/iso-duration.ts";
import { parseRfc3339 } from "../../../kit/rfc3339.ts";

/** Go's times end there; a later one cannot be stored. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * A due time or a time to live: RFC 3339, a Go duration or an ISO 8601 duration from `fromMs` on. Whole milliseconds,
 * rounded up. @returns a text that says what is wrong with it
 */
export function pointInTime(text: string, fromMs: number): number | string {
  const point = parseRfc3339(text) ?? fromGoDuration(text, fromMs) ?? fromIsoDuration(text, fromMs);
  if (point === undefined) {
    return "due time format not recognized";
  }
  if (typeof point === "number" && point > LATEST_MS) {
    return "the time is after the year 9999";
  }
  return point;
}

function fromGoDuration(text: string, fromMs: number): number | undefined {
  try {
    return Math.ceil(fromMs + parseGoDuration(text));
  } catch (error) {
    if (error instanceof InvalidDurationError) {
      return undefined;
    }
    throw error;
  }
}

function fromIsoDuration(text: string, fromMs: number): number | string | undefined {
  const duration = parseIsoDuration(text);
  if (duration === undefined) {
    return undefined;
  }
  if ((duration.repetitions ?? 0) > 0) {
    return "repeats not supported for due time";
  }
  const point = addIsoDuration(fromMs, duration);
  return Number.isNaN(point) ? undefined : point;
}

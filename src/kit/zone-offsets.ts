/** Milliseconds. */
const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;

/** A stretch of time in which a zone's distance from UTC stays the same; `endMs` is not part of it. */
export interface OffsetSpan {
  readonly startMs: number;
  readonly endMs: number;
  /** Local time minus UTC, in milliseconds. */
  readonly offsetMs: number;
}

/** A time zone's distance from UTC at any moment, from the zone data of the JavaScript engine. */
export class ZoneOffsets {
  /** Undefined for UTC itself, which needs no look-up. */
  readonly #format: Intl.DateTimeFormat | undefined;

  /** @throws RangeError for a zone that does not exist */
  constructor(zone: string) {
    if (zone === "UTC") {
      return;
    }
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** Local time minus UTC in milliseconds. */
  at(ms: number): number {
    if (this.#format === undefined) {
      return 0;
    }
    const wholeMs = Math.floor(ms / SECOND_MS) * SECOND_MS;
    const parts: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(wholeMs)) {
      parts[type] = Number(value);
    }
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - wholeMs;
  }

  /** The spans of a civil day (given as the UTC midnight of its date), in their order; one on most days, none on a skipped one. */
  *spansOfDay(utcMidnightMs: number): Generator<OffsetSpan> {
    // No zone is further than a day from UTC, so the civil day lies within these bounds.
    yield* this.#within(utcMidnightMs - DAY_MS, utcMidnightMs + 2 * DAY_MS, utcMidnightMs);
  }

  *#within(fromMs: number, toMs: number, utcMidnightMs: number): Generator<OffsetSpan> {
    let startMs = fromMs;
    while (startMs < toMs) {
      const offsetMs = this.at(startMs);
      const endMs = this.#endOfSpan(startMs, toMs, offsetMs);
      const first = Math.max(startMs, utcMidnightMs - offsetMs);
      const end = Math.min(endMs, utcMidnightMs + DAY_MS - offsetMs);
      if (first < end) {
        yield { startMs: first, endMs: end, offsetMs };
      }
      startMs = endMs;
    }
  }

  /** Zones change their distance hours apart at the least: each step looks that far, then halves its way to the second. */
  #endOfSpan(startMs: number, toMs: number, offsetMs: number): number {
    const stepMs = DAY_MS / 4;
    let low = startMs;
    while (low < toMs) {
      const high = Math.min(low + stepMs, toMs);
      if (this.at(high) !== offsetMs) {
        return this.#changeBetween(low, high, offsetMs);
      }
      low = high;
    }
    return toMs;
  }

  #changeBetween(beforeMs: number, afterMs: number, offsetMs: number): number {
    let low = beforeMs / SECOND_MS;
    let high = afterMs / SECOND_MS;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.at(middle * SECOND_MS) === offsetMs) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return high * SECOND_MS;
  }
}

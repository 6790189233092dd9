/** A span of the calendar and the clock; `repetitions` is undefined where the text has none. */
export interface IsoDuration {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly ms: number;
  readonly repetitions: number | undefined;
}

/** `R5/P1Y2M3W4DT5H6M7S`, every part optional but the P, which may be left out behind `R5/`. */
const ISO_DURATION =
  /^(?:R([+-]?\d+)(?:\/|$))?(?:P(?:([+-]?\d+)Y)?(?:([+-]?\d+)M)?(?:([+-]?\d+)W)?(?:([+-]?\d+)D)?(?:T(?:([+-]?\d+)H)?(?:([+-]?\d+)M)?(?:([+-]?\d+)S)?)?)?$/;

/** Reads an ISO 8601 duration with whole numbers, as Dapr takes them for jobs and reminders. Undefined for other text. */
export function parseIsoDuration(text: string): IsoDuration | undefined {
  const match = text.length < 2 ? null : ISO_DURATION.exec(text);
  if (match === null) {
    return undefined;
  }
  const [repetitions, years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1)
    .map((part: string | undefined) => (part === undefined ? undefined : Number(part)));
  return { years, months, days: weeks * 7 + days, ms: (hours * 3_600 + minutes * 60 + seconds) * 1_000, repetitions };
}

/** A moment (milliseconds since 1970) later by it, in UTC; days beyond a month's end run into the next, as in Go's `AddDate`. */
export function addIsoDuration(fromMs: number, { years, months, days, ms }: IsoDuration): number {
  const date = new Date(fromMs);
  return (
    date.setUTCFullYear(date.getUTCFullYear() + years, date.getUTCMonth() + months, date.getUTCDate() + days) + ms
  );
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Milliseconds. */
const MINUTE_MS = 60_000;

/**
 * A point in time as Go's `time.Parse(time.RFC3339, …)` reads it (2026-01-02T15:04:05.5+01:00), in milliseconds since
 * 1970. What is finer than a millisecond is rounded up, so that nothing that waits for it happens early. Undefined for any
 * other text, dates that do not exist among them.
 */
export function parseRfc3339(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (match === null) {
    return undefined;
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const [, , , , , , , fraction = "", sign, zoneHours = "0", zoneMinutes = "0"] = match;
  if (!exists(year, month, day) || hour > 23 || minute > 59 || second > 59) {
    return undefined;
  }
  if (Number(zoneHours) > 24 || Number(zoneMinutes) > 59) {
    return undefined;
  }
  const offsetMinutes = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === "-" ? -1 : 1);
  return utc(year, month, day) + (hour * 60 + minute - offsetMinutes) * MINUTE_MS + second * 1_000 + upToMs(fraction);
}

function exists(year: number, month: number, day: number): boolean {
  const date = new Date(utc(year, month, day));
  return month >= 1 && month <= 12 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** `Date.UTC` takes the years 0 to 99 for those of the last century. */
function utc(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

function upToMs(fraction: string): number {
  const rest = fraction.slice(3, 9);
  return Number(fraction.slice(0, 3).padEnd(3, "0")) + (/[1-9]/.test(rest) ? 1 : 0);
}

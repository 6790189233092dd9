import type { CronFields } from "./cron-fields.ts";
import type { ZoneOffsets } from "./zone-offsets.ts";

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
/** Years ahead that are looked through before a schedule counts as never due (30 February). */
const YEARS_AHEAD_MAX = 5;

/** The first whole second after `afterMs` whose local time matches; undefined when there is none within five years. */
export function nextLocalTime(fields: CronFields, zone: ZoneOffsets, afterMs: number): number | undefined {
  const fromMs = (Math.floor(afterMs / SECOND_MS) + 1) * SECOND_MS;
  const localMs = fromMs + zone.at(fromMs);
  const lastYear = new Date(localMs).getUTCFullYear() + YEARS_AHEAD_MAX;
  for (let dayMs = Math.floor(localMs / DAY_MS) * DAY_MS; ; dayMs += DAY_MS) {
    const date = new Date(dayMs);
    if (date.getUTCFullYear() > lastYear) {
      return undefined;
    }
    if (dayMatches(fields, date)) {
      const found = firstWithinDay(fields, zone, dayMs, fromMs);
      if (found !== undefined) {
        return found;
      }
    }
  }
}

/** When both kinds of day are restricted, either is enough; a star in one leaves it to the other. */
function dayMatches(fields: CronFields, date: Date): boolean {
  if (fields.months[date.getUTCMonth() + 1] !== true) {
    return false;
  }
  const ofMonth = fields.daysOfMonth[date.getUTCDate()] === true;
  const ofWeek = fields.daysOfWeek[date.getUTCDay()] === true;
  return fields.anyDay ? ofMonth && ofWeek : ofMonth || ofWeek;
}

function firstWithinDay(fields: CronFields, zone: ZoneOffsets, dayMs: number, fromMs: number): number | undefined {
  for (const { startMs, endMs, offsetMs } of zone.spansOfDay(dayMs)) {
    const begin = Math.max(startMs, fromMs);
    if (begin < endMs) {
      const secondOfDay = firstSecond(fields, (begin + offsetMs - dayMs) / SECOND_MS);
      const found = secondOfDay === undefined ? endMs : dayMs + secondOfDay * SECOND_MS - offsetMs;
      if (found < endMs) {
        return found;
      }
    }
  }
  return undefined;
}

/** The first matching second of a day at or after one, both counted from midnight on a clock without gaps. */
function firstSecond({ hours, minutes, seconds }: CronFields, from: number): number | undefined {
  const fromHour = Math.floor(from / 3600);
  for (let hour = fromHour; hour < 24; hour += 1) {
    if (hours[hour] !== true) {
      continue;
    }
    const fromMinute = hour === fromHour ? Math.floor(from / 60) % 60 : 0;
    for (let minute = fromMinute; minute < 60; minute += 1) {
      if (minutes[minute] !== true) {
        continue;
      }
      const isFirst = hour === fromHour && minute === Math.floor(from / 60) % 60;
      const second = seconds.indexOf(true, isFirst ? from % 60 : 0);
      if (second !== -1) {
        return hour * 3600 + minute * 60 + second;
      }
    }
  }
  return undefined;
}

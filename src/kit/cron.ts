import { parseCronFields, type CronFields } from "./cron-fields.ts";
import { nextLocalTime } from "./cron-next.ts";
import { parseGoDuration } from "./duration.ts";
import { ZoneOffsets } from "./zone-offsets.ts";

/** A schedule cannot be read; the message says what Go's cron package would. */
export class InvalidScheduleError extends Error {
  override readonly name = "InvalidScheduleError";
}

/** When something is due, again and again. */
export interface CronSchedule {
  /** The first moment after `afterMs` (milliseconds since 1970), undefined when none comes within five years. */
  next(afterMs: number): number | undefined;
}

const DESCRIPTORS: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 0 1 1 *"],
  ["@annually", "0 0 0 1 1 *"],
  ["@monthly", "0 0 0 1 * *"],
  ["@weekly", "0 0 0 * * 0"],
  ["@daily", "0 0 0 * * *"],
  ["@midnight", "0 0 0 * * *"],
  ["@hourly", "0 0 * * * *"],
]);

const EVERY = "@every ";

/**
 * Reads a schedule of five or six fields (seconds first), a descriptor such as `@daily`, or `@every 1h30m`. A leading
 * `CRON_TZ=Area/City ` or `TZ=…` sets the zone; `defaultZone` is the one without. Syntax and meaning are those of
 * github.com/dapr/kit/cron, which comes from robfig/cron: an hour that happens twice is due twice, one that is skipped
 * not at all.
 * @throws InvalidScheduleError
 */
export function parseCron(text: string, defaultZone: string): CronSchedule {
  if (text === "") {
    throw new InvalidScheduleError("empty spec string");
  }
  const { zone, spec } = splitZone(text, defaultZone);
  if (spec.startsWith(EVERY)) {
    return everySchedule(spec.slice(EVERY.length));
  }
  const fields = spec.startsWith("@") ? DESCRIPTORS.get(spec) : spec;
  if (fields === undefined) {
    throw new InvalidScheduleError(`unrecognized descriptor: ${spec}`);
  }
  return fieldSchedule(readFields(fields), openZone(zone));
}

function splitZone(text: string, defaultZone: string): { readonly zone: string; readonly spec: string } {
  const match = /^(?:CRON_TZ|TZ)=([^ ]*)(?: (.*))?$/s.exec(text);
  if (match === null) {
    return { zone: defaultZone, spec: text };
  }
  const [, zone = "", spec] = match;
  if (spec === undefined) {
    throw new InvalidScheduleError(`no schedule behind the time zone: ${text}`);
  }
  return { zone: zone === "" ? "UTC" : zone, spec: spec.trim() };
}

function openZone(zone: string): ZoneOffsets {
  try {
    return new ZoneOffsets(zone);
  } catch (cause) {
    throw new InvalidScheduleError(`provided bad location ${zone}: unknown time zone ${zone}`, { cause });
  }
}

function readFields(text: string): CronFields {
  const fields = parseCronFields(text);
  if (typeof fields === "string") {
    throw new InvalidScheduleError(fields);
  }
  return fields;
}

/** Periods below this many milliseconds are refused: they would leave no time for anything else. */
const PERIOD_MS_MIN = 1;

function everySchedule(text: string): CronSchedule {
  let periodMs: number;
  try {
    periodMs = parseGoDuration(text);
  } catch (cause) {
    throw new InvalidScheduleError(
      `failed to parse duration ${EVERY}${text}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  if (periodMs < PERIOD_MS_MIN) {
    throw new InvalidScheduleError(`the period ${text} is shorter than ${PERIOD_MS_MIN}ms`);
  }
  return { next: (afterMs) => afterMs + periodMs };
}

function fieldSchedule(fields: CronFields, zone: ZoneOffsets): CronSchedule {
  return { next: (afterMs) => nextLocalTime(fields, zone, afterMs) };
}

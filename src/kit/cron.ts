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

/** Jobs must have all six fields, and may be due without a pause; bindings may leave the seconds out. */
export type CronDialect = "binding" | "job";

/**
 * Reads a schedule of five or six fields (seconds first), a descriptor such as `@daily`, or `@every 1h30m`. A leading
 * `CRON_TZ=Area/City ` or `TZ=…` sets the zone; `defaultZone` is the one without. Syntax and meaning are those of
 * github.com/dapr/kit/cron, which comes from robfig/cron: an hour that happens twice is due twice, one that is skipped
 * not at all. An `@every` has no zone.
 * @throws InvalidScheduleError
 */
export function parseCron(text: string, defaultZone: string, dialect: CronDialect = "binding"): CronSchedule {
  if (text === "") {
    throw new InvalidScheduleError("empty spec string");
  }
  const { zone, spec } = splitZone(text, defaultZone);
  if (spec.startsWith(EVERY)) {
    return everySchedule(text, spec.slice(EVERY.length), dialect);
  }
  const fields = spec.startsWith("@") ? DESCRIPTORS.get(spec) : spec;
  if (fields === undefined) {
    throw new InvalidScheduleError(`unrecognized descriptor: ${spec}`);
  }
  return fieldSchedule(readFields(fields, dialect), openZone(zone));
}

function splitZone(text: string, defaultZone: string): { readonly zone: string; readonly spec: string } {
  const match = /^(?:CRON_TZ|TZ)=(\S*)(?:\s(.*))?$/s.exec(text);
  if (match === null) {
    return { zone: defaultZone, spec: text };
  }
  const [, zone = "", spec] = match;
  if (spec === undefined) {
    throw new InvalidScheduleError(`timezone prefix ${text} is not followed by a schedule`);
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

function readFields(text: string, dialect: CronDialect): CronFields {
  const fields = parseCronFields(text, dialect === "job" ? "six" : "five or six");
  if (typeof fields === "string") {
    throw new InvalidScheduleError(fields);
  }
  return fields;
}

/**
 * Periods below so many milliseconds are refused: a binding would leave no time for anything else. A job's next trigger
 * waits for the result of the one before.
 */
const PERIOD_MS_MIN: Readonly<Record<CronDialect, number>> = { binding: 1, job: 0 };

function everySchedule(text: string, period: string, dialect: CronDialect): CronSchedule {
  if (!text.startsWith(EVERY)) {
    throw new InvalidScheduleError(`timezone is not supported for @every schedules: ${text}`);
  }
  let periodMs: number;
  try {
    periodMs = parseGoDuration(period);
  } catch (cause) {
    throw new InvalidScheduleError(
      `failed to parse duration ${EVERY}${period}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  const leastMs = PERIOD_MS_MIN[dialect];
  if (periodMs < leastMs) {
    throw new InvalidScheduleError(`the period ${period} is shorter than ${leastMs}ms`);
  }
  return { next: (afterMs) => afterMs + periodMs };
}

function fieldSchedule(fields: CronFields, zone: ZoneOffsets): CronSchedule {
  return { next: (afterMs) => nextLocalTime(fields, zone, afterMs) };
}

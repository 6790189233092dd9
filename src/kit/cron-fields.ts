import { goQuote } from "./go-quote.ts";

/** Which values of each unit are due: `hours[3] === true` means 3 o'clock. */
export interface CronFields {
  readonly seconds: readonly boolean[];
  readonly minutes: readonly boolean[];
  readonly hours: readonly boolean[];
  readonly daysOfMonth: readonly boolean[];
  readonly months: readonly boolean[];
  readonly daysOfWeek: readonly boolean[];
  /** Day of month or day of week holds a star, so that a day must match both. */
  readonly anyDay: boolean;
}

interface Unit {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const SECOND: Unit = { min: 0, max: 59 };
const HOUR: Unit = { min: 0, max: 23 };
const DAY_OF_MONTH: Unit = { min: 1, max: 31 };
const MONTH: Unit = {
  min: 1,
  max: 12,
  names: ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const DAY_OF_WEEK: Unit = { min: 0, max: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/** Whether the seconds may be left out. */
export type FieldCount = "six" | "five or six";

/** Five fields, or six with the seconds first. @returns a text of what is wrong, as Go's cron package words it */
export function parseCronFields(text: string, count: FieldCount): CronFields | string {
  const given = text.split(/\s+/).filter((field) => field !== "");
  const fewest = count === "six" ? 6 : 5;
  if (given.length < fewest || given.length > 6) {
    const expected = fewest === 6 ? "exactly 6" : "5 to 6";
    return `expected ${expected} fields, found ${given.length}: [${given.join(" ")}]`;
  }
  const [second = "", minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = ""] =
    given.length === 5 ? ["0", ...given] : given;
  try {
    const days = { month: readField(dayOfMonth, DAY_OF_MONTH), week: readField(dayOfWeek, DAY_OF_WEEK) };
    return {
      seconds: readField(second, SECOND).values,
      minutes: readField(minute, SECOND).values,
      hours: readField(hour, HOUR).values,
      daysOfMonth: days.month.values,
      months: readField(month, MONTH).values,
      daysOfWeek: days.week.values,
      anyDay: days.month.star || days.week.star,
    };
  } catch (error) {
    if (error instanceof FieldFault) {
      return error.message;
    }
    throw error;
  }
}

/** Ends the reading of a field; never leaves this file. */
class FieldFault extends Error {}

interface Field {
  readonly values: boolean[];
  star: boolean;
}

function readField(text: string, unit: Unit): Field {
  const field: Field = { values: Array.from({ length: unit.max + 1 }, () => false), star: false };
  for (const expression of text.split(",")) {
    if (expression !== "") {
      addRange(field, expression, unit);
    }
  }
  return field;
}

/** `*`, `?`, `n`, `n-m`, each with `/step`; `n/step` goes on to the end of the unit. */
function addRange(field: Field, expression: string, unit: Unit): void {
  const [range = "", stepText, ...moreSteps] = expression.split("/");
  const [low = "", high, ...moreBounds] = range.split("-");
  const isStar = low === "*" || low === "?";
  const start = isStar ? unit.min : numberOf(low, unit);
  let end = isStar ? unit.max : start;
  if (!isStar && high !== undefined) {
    end = numberOf(high, unit);
    if (moreBounds.length > 0) {
      throw new FieldFault(`too many hyphens: ${expression}`);
    }
  }
  if (moreSteps.length > 0) {
    throw new FieldFault(`too many slashes: ${expression}`);
  }
  const step = stepText === undefined ? 1 : wholeNumber(stepText);
  if (stepText !== undefined && high === undefined) {
    end = unit.max;
  }
  check(expression, unit, start, end, step);
  for (let value = start; value <= end; value += step) {
    field.values[value] = true;
  }
  field.star ||= isStar && step === 1;
}

function check(expression: string, unit: Unit, start: number, end: number, step: number): void {
  if (start < unit.min) {
    throw new FieldFault(`beginning of range (${start}) below minimum (${unit.min}): ${expression}`);
  }
  if (end > unit.max) {
    throw new FieldFault(`end of range (${end}) above maximum (${unit.max}): ${expression}`);
  }
  if (start > end) {
    throw new FieldFault(`beginning of range (${start}) beyond end of range (${end}): ${expression}`);
  }
  if (step === 0) {
    throw new FieldFault(`step of range should be a positive number: ${expression}`);
  }
}

function numberOf(text: string, unit: Unit): number {
  const named = text === "" ? -1 : (unit.names?.indexOf(text.toLowerCase()) ?? -1);
  return named === -1 ? wholeNumber(text) : named;
}

function wholeNumber(text: string): number {
  if (!/^[+-]?[0-9]+$/.test(text)) {
    throw new FieldFault(`failed to parse int from ${text}: strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`);
  }
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new FieldFault(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${goQuote(text)}: value out of range`,
    );
  }
  if (value < 0) {
    throw new FieldFault(`negative number (${value}) not allowed: ${text}`);
  }
  return value;
}

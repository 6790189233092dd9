import { goQuote } from "../../kit/go-quote.ts";
import { sortedKeys } from "./go-json.ts";

/** A value decoded from JSON as Go's `%#v` prints it; pgx shows so which parameter it could not encode. */
export function goSyntax(value: unknown): string {
  switch (typeof value) {
    case "string":
      return goQuote(value);
    case "number":
      return shortestG(value);
    case "object":
      return goSyntaxObject(value);
    default:
      return String(value);
  }
}

function goSyntaxObject(value: object | null): string {
  if (value === null) {
    return "interface {}(nil)";
  }
  if (Array.isArray(value)) {
    return `[]interface {}{${value.map(goSyntax).join(", ")}}`;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const members = sortedKeys(fields).map((key) => `${goQuote(key)}:${goSyntax(fields[key])}`);
  return `map[string]interface {}{${members.join(", ")}}`;
}

/** Go's `%g` in its shortest form: an exponent of two digits from a million on and below a ten-thousandth. */
function shortestG(value: number): string {
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** All digits of a number, without an exponent (Go's `strconv.FormatFloat(value, 'f', -1, 64)`). */
export function plainDecimal(value: number): string {
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const negative = digits.startsWith("-") || Object.is(value, -0);
  const [whole = "", fraction = ""] = digits.replace("-", "").split(".");
  const point = whole.length + Number(exponent);
  const all = whole + fraction;
  const sign = negative ? "-" : "";
  if (point <= 0) {
    return value === 0 ? `${sign}0` : `${sign}0.${"0".repeat(-point)}${all}`;
  }
  return all.length <= point
    ? sign + all + "0".repeat(point - all.length)
    : `${sign}${all.slice(0, point)}.${all.slice(point)}`;
}

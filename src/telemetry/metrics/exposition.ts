/** `Content-Type` of the text format that this file writes. */
export const EXPOSITION_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Go's `%g` turns to exponents from here on. */
const PLAIN_EXPONENT_MAX = 5;
const PLAIN_EXPONENT_MIN = -4;

/** A number as Go's `strconv.FormatFloat(x, 'g', -1, 64)` prints it, so that `le` reads as in Dapr (`1.048576e+06`). */
export function formatGoFloat(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  }
  const size = Math.abs(value);
  if (size === 0 || (size >= 10 ** PLAIN_EXPONENT_MIN && size < 10 ** (PLAIN_EXPONENT_MAX + 1))) {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  const [digits = "", exponentText = ""] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** `name="value"` pairs, sorted by name as the Prometheus client library does; empty without labels. */
export function formatLabels(names: readonly string[], values: readonly string[]): string {
  return names
    .map((name, index) => [name, values[index] ?? ""] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${escapeLabelValue(value)}"`)
    .join(",");
}

export function escapeLabelValue(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}

export function escapeHelp(help: string): string {
  return help.replace(/[\\\n]/g, (character) => (character === "\n" ? "\\n" : "\\\\"));
}

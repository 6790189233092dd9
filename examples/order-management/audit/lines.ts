import type { Line } from "./records.ts";

/** Units by stock code; codes that come to nothing are left out. */
export type Units = ReadonlyMap<string, number>;

export function unitsOf(lines: readonly Line[]): Units {
  return summed(lines.map((line) => [line, 1] as const));
}

/** The units of lines that are each counted with a factor. */
export function summed(lines: Iterable<readonly [line: Line, factor: number]>): Units {
  const units = new Map<string, number>();
  for (const [{ code, quantity }, factor] of lines) units.set(code, (units.get(code) ?? 0) + factor * quantity);
  for (const [code, quantity] of units) if (quantity === 0) units.delete(code);
  return units;
}

export function isSame(one: Units, other: Units): boolean {
  return one.size === other.size && [...one].every(([code, quantity]) => other.get(code) === quantity);
}

export function isSameLines(one: readonly Line[], other: readonly Line[]): boolean {
  return isSame(unitsOf(one), unitsOf(other));
}

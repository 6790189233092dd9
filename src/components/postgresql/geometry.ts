import { goSyntax } from "./go-syntax.ts";
import { float, type ValueWriter } from "./scalars.ts";

/** Geometric types become objects with the field names of Go's driver, points alone a text. */
export const writePoint: ValueWriter = (value) => `"(${general(value, 0)},${general(value, 8)})"`;

/** box and lseg. */
export const writePointPair: ValueWriter = (value) => `{"P":${points(value, 0, 2)},"Valid":true}`;

export const writeLine: ValueWriter = (value) =>
  `{"A":${number(value, 0)},"B":${number(value, 8)},"C":${number(value, 16)},"Valid":true}`;

export const writePath: ValueWriter = (value) =>
  `{"P":${points(value, 5, value.readInt32BE(1))},"Closed":${value[0] === 1},"Valid":true}`;

export const writePolygon: ValueWriter = (value) => `{"P":${points(value, 4, value.readInt32BE(0))},"Valid":true}`;

export const writeCircle: ValueWriter = (value) => `{"P":${point(value, 0)},"R":${number(value, 16)},"Valid":true}`;

function points(value: Buffer, at: number, count: number): string {
  return `[${Array.from({ length: count }, (_, index) => point(value, at + 16 * index)).join(",")}]`;
}

function point(value: Buffer, at: number): string {
  return `{"X":${number(value, at)},"Y":${number(value, at + 8)}}`;
}

function number(value: Buffer, at: number): string {
  return float(value.readDoubleBE(at));
}

/** Go's `%g`. */
function general(value: Buffer, at: number): string {
  const coordinate = value.readDoubleBE(at);
  if (Number.isFinite(coordinate)) {
    return goSyntax(coordinate);
  }
  return Number.isNaN(coordinate) ? "NaN" : coordinate > 0 ? "+Inf" : "-Inf";
}

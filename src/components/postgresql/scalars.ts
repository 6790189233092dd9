import { goJson, goJsonNumber, goJsonString } from "./go-json.ts";

/** Writes one value that is not NULL, as the server sent it, as JSON. @throws ValueError */
export type ValueWriter = (value: Buffer) => string;

/** A value that Go could not read (`reading`) or not write as JSON (`serializing`), in Go's words. */
export class ValueError extends Error {
  override readonly name = "ValueError";
  readonly stage: "reading" | "serializing";

  constructor(stage: "reading" | "serializing", message: string) {
    super(message);
    this.stage = stage;
  }
}

export const writeText: ValueWriter = (value) => goJsonString(value.toString("utf8"));
export const writeBytes: ValueWriter = (value) => `"${value.toString("base64")}"`;
export const writeBool: ValueWriter = (value) => (value[0] === 1 ? "true" : "false");
export const writeInt2: ValueWriter = (value) => String(value.readInt16BE(0));
export const writeInt4: ValueWriter = (value) => String(value.readInt32BE(0));
export const writeInt8: ValueWriter = (value) => String(value.readBigInt64BE(0));
export const writeUint4: ValueWriter = (value) => String(value.readUInt32BE(0));
export const writeUint8: ValueWriter = (value) => String(value.readBigUInt64BE(0));
/** The type `"char"` is a number for Go. */
export const writeChar: ValueWriter = (value) => String(value[0] ?? 0);
export const writeUuid: ValueWriter = (value) => `[${value.join(",")}]`;
export const writeFloat8: ValueWriter = (value) => float(value.readDoubleBE(0));

export const writeFloat4: ValueWriter = (value) => {
  const number = value.readFloatBE(0);
  if (number === 0 || !Number.isFinite(number)) {
    return float(number);
  }
  // The fewest digits that name this float32 and no other.
  for (let digits = 1; digits < 9; digits += 1) {
    const shorter = Number(number.toPrecision(digits));
    if (Math.fround(shorter) === number) {
      return goJsonNumber(shorter);
    }
  }
  return goJsonNumber(Number(number.toPrecision(9)));
};

/** @throws ValueError for what JSON has no number for */
export function float(value: number): string {
  if (Number.isFinite(value)) {
    return goJsonNumber(value);
  }
  const name = Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  throw new ValueError("serializing", `json: unsupported value: ${name}`);
}

/** A number beyond float64 needs an exponent or this many digits. */
const LARGE_NUMBER_CHARS = 308;

/** Go decodes the document and writes it anew, so keys are sorted and numbers are float64. */
export const writeJson: ValueWriter = (value) => {
  const text = value.toString("utf8");
  if (text.length > LARGE_NUMBER_CHARS || text.includes("e") || text.includes("E")) {
    const large = numberBeyondFloat64(text);
    if (large !== undefined) {
      throw new ValueError("reading", beyondFloat64(large));
    }
  }
  return goJson(JSON.parse(text));
};

/** The first number of a JSON document that no float64 can hold, as it is written there. */
export function numberBeyondFloat64(text: string): string | undefined {
  let found: string | undefined;
  JSON.parse(text, (_key, part: unknown, context?: { readonly source?: string }) => {
    if (typeof part === "number" && !Number.isFinite(part)) {
      found ??= context?.source ?? String(part);
    }
    return part;
  });
  return found;
}

/** What Go says about such a number. */
export function beyondFloat64(literal: string): string {
  return `json: cannot unmarshal number ${literal} into Go value of type float64`;
}

const JSONB_IN_BINARY = 1;

/** In arrays jsonb comes in its binary form, which has a version before the text. */
export const writeBinaryJsonb: ValueWriter = (value) =>
  writeJson(value[0] === JSONB_IN_BINARY ? value.subarray(1) : value);

const NUMERIC_NEGATIVE = 0x4000;
const NUMERIC_NAN = 0xc000;
const NUMERIC_INFINITE = 0xd000;
const NUMERIC_NEGATIVE_INFINITE = 0xf000;

/** Groups of four decimal digits, the point's place among them, a sign, and how many decimals to show. */
export const writeNumeric: ValueWriter = (value) => {
  const groups = value.readInt16BE(0);
  const weight = value.readInt16BE(2);
  const sign = value.readUInt16BE(4);
  const decimals = value.readInt16BE(6);
  if (sign === NUMERIC_NAN) {
    return '"NaN"';
  }
  if (groups === 0 || sign === NUMERIC_INFINITE || sign === NUMERIC_NEGATIVE_INFINITE) {
    return "0";
  }
  const group = (index: number): string =>
    (index >= 0 && index < groups ? value.readInt16BE(8 + 2 * index) : 0).toString().padStart(4, "0");
  let whole = "";
  for (let index = 0; index <= weight; index += 1) {
    whole += group(index);
  }
  let fraction = "";
  for (let index = weight + 1; fraction.length < decimals; index += 1) {
    fraction += group(index);
  }
  const digits = whole.replace(/^0+(?=\d)/, "") || "0";
  return (sign === NUMERIC_NEGATIVE ? "-" : "") + digits + (decimals === 0 ? "" : `.${fraction.slice(0, decimals)}`);
};

const IPV4_FAMILY = 2;

/** inet and cidr: always with the length of the prefix. */
export const writeInet: ValueWriter = (value) => {
  const bits = value[1] ?? 0;
  const address = value.subarray(4);
  return `"${value[0] === IPV4_FAMILY ? address.join(".") : ipv6(address)}/${bits}"`;
};

function ipv6(address: Buffer): string {
  const parts = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(2 * index));
  if (parts.slice(0, 5).every((part) => part === 0) && parts[5] === 0xffff) {
    return `::ffff:${address.subarray(12).join(".")}`;
  }
  const [start, end] = longestZeros(parts);
  const hex = (some: readonly number[]): string => some.map((part) => part.toString(16)).join(":");
  return end - start < 2 ? hex(parts) : `${hex(parts.slice(0, start))}::${hex(parts.slice(end))}`;
}

/** The first of the longest runs of zeros, as a half-open range. */
function longestZeros(parts: readonly number[]): [number, number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < parts.length; start += 1) {
    let end = start;
    while (parts[end] === 0) {
      end += 1;
    }
    if (end - start > best[1] - best[0]) {
      best = [start, end];
    }
  }
  return best;
}

/** bit and varbit. */
export const writeBits: ValueWriter = (value) =>
  `{"Bytes":${writeBytes(value.subarray(4))},"Len":${value.readInt32BE(0)},"Valid":true}`;

export const writeTid: ValueWriter = (value) =>
  `{"BlockNumber":${value.readUInt32BE(0)},"OffsetNumber":${value.readUInt16BE(4)},"Valid":true}`;

const WEIGHTS = [68, 67, 66, 65];

/** Words with their places; a place's weight is one of the letters A to D, as a number. */
export const writeTsvector: ValueWriter = (value) => {
  const lexemes: string[] = [];
  let at = 4;
  for (let left = value.readInt32BE(0); left > 0; left -= 1) {
    const end = value.indexOf(0, at);
    const word = goJsonString(value.toString("utf8", at, end));
    const count = value.readUInt16BE(end + 1);
    at = end + 3;
    const places = Array.from({ length: count }, (_, index) => {
      const place = value.readUInt16BE(at + 2 * index);
      return `{"Position":${place & 0x3fff},"Weight":${WEIGHTS[place >> 14]}}`;
    });
    at += 2 * count;
    lexemes.push(`{"Word":${word},"Positions":${count === 0 ? "null" : `[${places.join(",")}]`}}`);
  }
  return `{"Lexemes":${lexemes.length === 0 ? "null" : `[${lexemes.join(",")}]`},"Valid":true}`;
};

import { goFormat } from "../../kit/go-format.ts";
import { jsonFault, JsonScanner } from "../../kit/json-scanner.ts";
import { ComponentError } from "../spi/errors.ts";
import { goJson } from "./go-json.ts";
import { goSyntax, plainDecimal } from "./go-syntax.ts";
import { beyondFloat64, numberBeyondFloat64 } from "./scalars.ts";
import { BINARY, POSTGRES_TYPES, type PostgresType } from "./types.ts";

/** One parameter as it goes to the server: its text, or null. */
export type Parameter = string | null;

/**
 * The values of the request's metadata `params`, a JSON array.
 * @throws ComponentError `invalidRequest` with Go's reason
 */
export function decodeParameters(text: string): readonly unknown[] {
  if (text === "") {
    return [];
  }
  const bytes = Buffer.from(text);
  const fault = jsonFault(bytes);
  if (fault !== undefined) {
    throw notAnArray(fault);
  }
  const kind = new JsonScanner(bytes).kind();
  if (kind === "null") {
    return [];
  }
  if (kind !== "array") {
    throw notAnArray(`json: cannot unmarshal ${kind} into Go value of type []interface {}`);
  }
  const large = numberBeyondFloat64(text);
  if (large !== undefined) {
    throw notAnArray(beyondFloat64(large));
  }
  return JSON.parse(text) as unknown[];
}

function notAnArray(reason: string): ComponentError {
  return new ComponentError(
    "invalidRequest",
    `invalid metadata property params: failed to unserialize into an array: ${reason}`,
  );
}

/**
 * Values for a statement whose parameters have the types `oids`.
 * @throws ComponentError `invalidRequest` naming the value that does not fit its type
 */
export function encodeParameters(oids: readonly number[], values: readonly unknown[]): Parameter[] {
  return values.map((value, index) => {
    const oid = oids[index] ?? 0;
    const type = POSTGRES_TYPES.get(oid);
    const outcome = type === undefined ? encodeUnknown(value) : encode(type, value);
    if (typeof outcome !== "object" || outcome === null) {
      return outcome;
    }
    const format = type?.format === BINARY ? "binary" : "text";
    throw new ComponentError(
      "invalidRequest",
      `failed to encode args[${index}]: unable to encode ${goSyntax(value)} into ${format} format for ${type?.name ?? "unknown type"} (OID ${oid}): ${outcome.refused}`,
    );
  });
}

/** Values for a statement whose types nobody has asked for: the server takes them from their texts. */
export function encodeUntyped(values: readonly unknown[]): Parameter[] {
  return values.map((value) => (typeof value === "object" && value !== null ? goJson(value) : textOf(value)));
}

interface Refusal {
  readonly refused: string;
}

const NO_PLAN: Refusal = { refused: "cannot find encode plan" };

function encodeUnknown(value: unknown): Parameter | Refusal {
  return typeof value === "object" && value !== null ? NO_PLAN : textOf(value);
}

function textOf(value: unknown): Parameter {
  if (value === null) {
    return null;
  }
  return typeof value === "number" ? plainDecimal(value) : `${value as string | boolean}`;
}

function encode(type: PostgresType, value: unknown): Parameter | Refusal {
  if (value === null || typeof value === "string") {
    return value;
  }
  if (type.element !== undefined) {
    return Array.isArray(value) ? encodeArray(type.element, value) : NO_PLAN;
  }
  switch (type.parameter) {
    case "json":
      return goJson(value);
    case "bool":
      return typeof value === "boolean" ? String(value) : NO_PLAN;
    case "numeric":
      return typeof value === "number" ? String(value) : NO_PLAN;
    case "float":
      return typeof value === "number" ? encodeFloat(type, value) : NO_PLAN;
    case "integer":
      return typeof value === "number" ? encodeInteger(type, value) : NO_PLAN;
    case "text":
    case "other":
      return NO_PLAN;
  }
}

/** As an array literal; an element of a nested array is none that fits. */
function encodeArray(element: PostgresType, values: readonly unknown[]): string | Refusal {
  const texts: string[] = [];
  for (const value of values) {
    const text = Array.isArray(value) && element.parameter !== "json" ? NO_PLAN : encode(element, value);
    if (typeof text === "object" && text !== null) {
      return text === NO_PLAN ? { refused: `unable to encode ${goFormat(value)}` } : text;
    }
    texts.push(text === null ? "NULL" : `"${text.replace(/["\\]/g, "\\$&")}"`);
  }
  return `{${texts.join(",")}}`;
}

const FLOAT4_OID = 700;

function encodeFloat(type: PostgresType, value: number): string {
  return String(type.oid === FLOAT4_OID ? Math.fround(value) : value);
}

/** By OID: smallest and largest value, and the names that Go gives them in its errors. */
const INTEGER_BOUNDS: ReadonlyMap<number, readonly [bigint, bigint, string]> = new Map([
  [21, [-(2n ** 15n), 2n ** 15n - 1n, "int2"]],
  [23, [-(2n ** 31n), 2n ** 31n - 1n, "int4"]],
  [26, [0n, 2n ** 32n - 1n, "uint32"]],
  [28, [0n, 2n ** 32n - 1n, "uint32"]],
  [29, [0n, 2n ** 32n - 1n, "uint32"]],
  [5069, [0n, 2n ** 63n - 1n, "uint64"]],
]);

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** Go cuts fractions off, and makes the smallest int64 of what is too large in the one way that it does not notice. */
function encodeInteger(type: PostgresType, value: number): string | Refusal {
  const whole = BigInt(Math.trunc(value));
  if (whole > INT64_MAX + 1n) {
    return { refused: `${whole}.000000 is greater than maximum value for int64` };
  }
  const integer = whole > INT64_MAX || whole < INT64_MIN ? INT64_MIN : whole;
  const [smallest, largest, name] = INTEGER_BOUNDS.get(type.oid) ?? [INT64_MIN, INT64_MAX, "int8"];
  if (integer < smallest) {
    return { refused: `${integer} is less than minimum value for ${name}` };
  }
  return integer > largest ? { refused: `${integer} is greater than maximum value for ${name}` } : String(integer);
}

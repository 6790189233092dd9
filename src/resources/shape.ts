import { suggest } from "../kit/distance.ts";
import { InvalidDurationError, parseGoDuration } from "../kit/duration.ts";
import { ResourceError } from "./error.ts";
import { nodeToJson, type JsonValue } from "./json-value.ts";
import { plainScalarToText, resolvePlainScalar, yaml11Boolean, type ScalarValue, type YamlDialect } from "./scalar.ts";
import type { Report, YamlMap, YamlNode, YamlScalar } from "./yaml-node.ts";

/** How a document is being read: which YAML dialect, and where oddities go. */
export interface Reading {
  readonly dialect: YamlDialect;
  readonly report: Report;
}

/**
 * Reads one kind of value out of a YAML node, with the coercions that daprd's YAML readers do. `path` names the value in
 * messages (`spec.metadata[0].name`).
 * @throws ResourceError naming file, line and column of a value that does not fit
 */
export type Shape<T> = (node: YamlNode, reading: Reading, path: string) => T;

type ShapeType<S> = S extends Shape<infer T> ? T : never;

/** A struct's fields; absent and null ones are undefined. */
export type StructOf<F extends Readonly<Record<string, Shape<unknown>>>> = {
  readonly [K in keyof F]: ShapeType<F[K]> | undefined;
};

/** Text; unquoted numbers and booleans become the text that Go would make of them. */
export const text: Shape<string> = (node, reading, path) => {
  const scalar = scalarOf(node, path, "text");
  return scalar.plain ? plainScalarToText(scalar.text, reading.dialect) : scalar.text;
};

export const boolean: Shape<boolean> = (node, reading, path) => {
  const scalar = scalarOf(node, path, "true or false");
  const value = scalarValue(scalar, reading);
  if (typeof value === "boolean") {
    return value;
  }
  const lenient = reading.dialect === "go-yaml-3" ? yaml11Boolean(scalar.text) : undefined;
  if (lenient === undefined) {
    throw new ResourceError(node.place, `${path} must be true or false without quotes, not ${describe(node)}`);
  }
  return lenient;
};

/** A whole number that fits 32 bits, as Go's `int32` and, in practice, `int` fields. */
export const integer: Shape<number> = (node, reading, path) => {
  const value = scalarValue(scalarOf(node, path, "a whole number"), reading);
  if (typeof value !== "number" || !Number.isInteger(value) || value > INT32_MAX || value < INT32_MIN) {
    throw new ResourceError(
      node.place,
      `${path} must be a whole number without quotes between ${INT32_MIN} and ${INT32_MAX}, not ${describe(node)}`,
    );
  }
  return value;
};

const INT32_MAX = 2_147_483_647;
const INT32_MIN = -2_147_483_648;

/** A Go duration such as `1h30m`, in milliseconds. */
export const duration: Shape<number> = (node, reading, path) => {
  const written = text(node, reading, path);
  try {
    return parseGoDuration(written);
  } catch (cause) {
    if (cause instanceof InvalidDurationError) {
      throw new ResourceError(node.place, `${path} must be a duration such as 30s or 1h30m, not ${describe(node)}`, {
        cause,
      });
    }
    throw cause;
  }
};

/** Any value, as JSON has it. */
export const json: Shape<JsonValue> = (node, reading) => nodeToJson(node, reading.dialect);

export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return (node, reading, path) => {
    if (isNull(node, reading)) {
      return [];
    }
    if (node.kind !== "list") {
      throw new ResourceError(node.place, `${path} must be a list, not ${describe(node)}`);
    }
    return node.items.map((each, index) => item(each, reading, `${path}[${index}]`));
  };
}

/** A map with free keys. */
export function dictionary<T>(value: Shape<T>): Shape<ReadonlyMap<string, T>> {
  return (node, reading, path) => {
    const result = new Map<string, T>();
    for (const [key, entry] of entriesOf(node, reading, path)) {
      result.set(key, value(entry.value, reading, `${path}.${key}`));
    }
    return result;
  };
}

/**
 * A map with known fields. Other fields are reported with the nearest known name and ignored, as Dapr ignores them;
 * `open` ones (Kubernetes object metadata) without a word. Resources match names without case, Configuration files with.
 */
export function struct<F extends Readonly<Record<string, Shape<unknown>>>>(
  fields: F,
  options: { readonly open?: boolean } = {},
): Shape<StructOf<F>> {
  const names = Object.keys(fields);
  const byLowerCase = new Map(names.map((name) => [name.toLowerCase(), name]));
  return (node, reading, path) => {
    const result: Record<string, unknown> = {};
    for (const name of names) {
      result[name] = undefined;
    }
    for (const [key, entry] of entriesOf(node, reading, path)) {
      const name = Object.hasOwn(fields, key)
        ? key
        : reading.dialect === "kubernetes"
          ? byLowerCase.get(key.toLowerCase())
          : undefined;
      const shape = name === undefined ? undefined : fields[name];
      if (name === undefined || shape === undefined) {
        if (options.open !== true) {
          reading.report(entry.place, unknownField(path, key, names));
        }
      } else if (!isNull(entry.value, reading)) {
        result[name] = shape(entry.value, reading, join(path, name));
      }
    }
    return result as StructOf<F>;
  };
}

export function isNull(node: YamlNode, reading: Reading): boolean {
  return node.kind === "scalar" && scalarValue(node, reading) === null;
}

function unknownField(path: string, key: string, names: readonly string[]): string {
  const near = suggest(key, names);
  return `unknown field "${join(path, key)}" is ignored${near === undefined ? "" : `; did you mean "${near}"?`}`;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function scalarOf(node: YamlNode, path: string, wanted: string): YamlScalar {
  if (node.kind !== "scalar") {
    throw new ResourceError(node.place, `${path} must be ${wanted}, not ${describe(node)}`);
  }
  return node;
}

/** Nothing at all is an empty map, as it is to Go. */
function entriesOf(node: YamlNode, reading: Reading, path: string): YamlMap["entries"] {
  if (isNull(node, reading)) {
    return NO_ENTRIES;
  }
  if (node.kind !== "map") {
    throw new ResourceError(
      node.place,
      `${path === "" ? "the document" : path} must be a map of fields, not ${describe(node)}`,
    );
  }
  return node.entries;
}

const NO_ENTRIES: YamlMap["entries"] = new Map();

function scalarValue(scalar: YamlScalar, reading: Reading): ScalarValue {
  return scalar.plain ? resolvePlainScalar(scalar.text, reading.dialect) : scalar.text;
}

/** Characters of a wrong value that a message repeats. */
const DESCRIBED_CHARACTERS_MAX = 60;

function describe(node: YamlNode): string {
  if (node.kind !== "scalar") {
    return node.kind === "map" ? "a map" : "a list";
  }
  if (node.plain && node.text === "") {
    return "nothing";
  }
  const shown =
    node.text.length > DESCRIBED_CHARACTERS_MAX ? `${node.text.slice(0, DESCRIBED_CHARACTERS_MAX)}…` : node.text;
  return node.plain ? shown : JSON.stringify(shown);
}

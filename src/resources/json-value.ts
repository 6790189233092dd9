import { ResourceError } from "./error.ts";
import { resolvePlainScalar, type YamlDialect } from "./scalar.ts";
import type { YamlNode } from "./yaml-node.ts";

/** A free-form value; whole numbers beyond 2^53 are bigints. */
export type JsonValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** @throws ResourceError for numbers that JSON lacks */
export function nodeToJson(node: YamlNode, dialect: YamlDialect): JsonValue {
  switch (node.kind) {
    case "list":
      return node.items.map((item) => nodeToJson(item, dialect));
    case "map": {
      const result = Object.create(null) as Record<string, JsonValue>;
      for (const [key, entry] of node.entries) {
        result[key] = nodeToJson(entry.value, dialect);
      }
      return result;
    }
    case "scalar": {
      const value = node.plain ? resolvePlainScalar(node.text, dialect) : node.text;
      if (typeof value === "number" && !Number.isFinite(value)) {
        throw new ResourceError(node.place, `${node.text} is no value that a resource can have`);
      }
      return value;
    }
  }
}

/** JSON text as Go's encoding/json writes it: keys sorted, no spaces, `<`, `>`, `&` and the line separators escaped. */
export function jsonToGoText(value: JsonValue): string {
  if (typeof value === "string") {
    return JSON.stringify(value).replace(GO_ESCAPED, escapeCharacter);
  }
  if (typeof value !== "object" || value === null) {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  if (Array.isArray(value)) {
    return `[${(value as readonly JsonValue[]).map(jsonToGoText).join(",")}]`;
  }
  const entries = Object.entries(value as { readonly [key: string]: JsonValue });
  entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${entries.map(([key, each]) => `${jsonToGoText(key)}:${jsonToGoText(each)}`).join(",")}}`;
}

const GO_ESCAPED = /[<>&\u2028\u2029]/g;

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

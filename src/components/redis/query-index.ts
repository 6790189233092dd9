import { ComponentError } from "../spi/errors.ts";

/** One index of the query API: the command that makes it, and the names it has for the JSON paths that it covers. */
export interface QueryIndex {
  readonly create: readonly string[];
  readonly aliases: ReadonlyMap<string, string>;
}

interface IndexedPath {
  readonly key: string;
  readonly type: string;
}

/**
 * Reads metadata `queryIndexes`: a JSON list of `{name, indexes: [{key, type}]}` (RediSearch types). Documents have their
 * value under `data`; aliases are Dapr's, since sidecars of both kinds may search by one index.
 * @throws ComponentError `invalidMetadata`
 */
export function parseQueryIndexes(json: string): ReadonlyMap<string, QueryIndex> {
  const indexes = new Map<string, QueryIndex>();
  for (const { name, paths } of writtenIndexes(json)) {
    if (name === "") {
      throw unreadable("empty query schema name");
    }
    if (indexes.has(name)) {
      throw unreadable(`duplicate schema name ${name}`);
    }
    const create = ["FT.CREATE", name, "ON", "JSON", "SCHEMA"];
    const aliases = new Map<string, string>();
    for (const [position, { key, type }] of paths.entries()) {
      if (key === "" || type === "") {
        throw unreadable(`empty ${key === "" ? "key" : "type"} in query schema ${name}`);
      }
      const alias = `var${position}`;
      aliases.set(key, alias);
      create.push(`$.data.${key}`, "AS", alias, type, "SORTABLE");
    }
    indexes.set(name, { create, aliases });
  }
  return indexes;
}

function writtenIndexes(json: string): { readonly name: string; readonly paths: readonly IndexedPath[] }[] {
  let list: unknown;
  try {
    list = json === "" ? [] : JSON.parse(json);
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error), error);
  }
  return listOf(list, "the indexes").map((index) => ({
    name: textOf(index, "name"),
    paths: listOf(memberOf(index, "indexes"), "indexes of a schema").map((path) => ({
      key: textOf(path, "key"),
      type: textOf(path, "type"),
    })),
  }));
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) {
    return [];
  }
  if (!Array.isArray(value)) {
    throw unreadable(`${what} must be a list`);
  }
  return value;
}

function textOf(owner: unknown, name: string): string {
  const value = memberOf(owner, name) ?? "";
  if (typeof value !== "string") {
    throw unreadable(`${name} must be a string`);
  }
  return value;
}

function memberOf(owner: unknown, name: string): unknown {
  if (typeof owner !== "object" || owner === null || Array.isArray(owner)) {
    throw unreadable("every entry must be an object");
  }
  return (owner as Readonly<Record<string, unknown>>)[name];
}

function unreadable(reason: string, cause?: unknown): ComponentError {
  return new ComponentError("invalidMetadata", `redis store: error parsing query index schema: ${reason}`, { cause });
}

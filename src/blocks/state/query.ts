import type { ComparisonOperator, StateFilter, StateQuery } from "../../components/spi/state-query.ts";
import { goQuote } from "../../kit/go-quote.ts";
import { jsonFault } from "../../kit/json-scanner.ts";

/** Filters inside each other; a query with more is refused. */
export const FILTER_DEPTH_MAX = 100;

const COMPARISONS: ReadonlySet<string> = new Set<ComparisonOperator>(["EQ", "NEQ", "GT", "GTE", "LT", "LTE"]);

/** The query cannot be read; the message is what Dapr's decoder says. */
export class QuerySyntaxError extends Error {
  override readonly name = "QuerySyntaxError";
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads the query `{filter, sort, page}` by the rules of Dapr's decoder: names match without case, unknown ones are
 * skipped, null leaves a field empty.
 * @throws QuerySyntaxError
 */
export function parseStateQuery(json: Uint8Array): StateQuery {
  const body = parseBody(json);
  const written = objectField(body, "filter", "map[string]interface {}") ?? {};
  const page = objectField(body, "page", "query.Pagination") ?? {};
  return {
    filter: Object.keys(written).length === 0 ? undefined : parseFilter(written, 1),
    writtenFilter: written,
    sort: sortField(body),
    pageLimit: integerField(page, "page.limit"),
    pageToken: stringField(page, "page.token"),
  };
}

function parseBody(json: Uint8Array): JsonObject {
  const fault = jsonFault(json);
  if (fault !== undefined) {
    throw new QuerySyntaxError(fault);
  }
  const body: unknown = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString());
  return body === null ? {} : (asObject(body) ?? mismatch(body, "", "query.QueryFields"));
}

function parseFilter(unit: unknown, depth: number): StateFilter {
  if (depth > FILTER_DEPTH_MAX) {
    throw new QuerySyntaxError(`filters are nested deeper than ${FILTER_DEPTH_MAX} levels, which is the limit`);
  }
  const object = asObject(unit);
  if (object === undefined) {
    throw new QuerySyntaxError("filter unit must be a map");
  }
  const [operator, ...others] = Object.keys(object);
  if (operator === undefined || others.length > 0) {
    throw new QuerySyntaxError("filter unit must have a single element");
  }
  const operand = object[operator];
  if (operator === "AND" || operator === "OR") {
    return { operator, filters: parseFilters(operator, operand, depth) };
  }
  if (operator === "IN") {
    const [key, values] = pairOf(operator, operand);
    if (!Array.isArray(values)) {
      throw new QuerySyntaxError("IN filter value must be an array");
    }
    return { operator, key, values };
  }
  if (!COMPARISONS.has(operator)) {
    throw new QuerySyntaxError(`unsupported filter ${goQuote(operator)}`);
  }
  const [key, value] = pairOf(operator, operand);
  return { operator: operator as ComparisonOperator, key, value };
}

function parseFilters(operator: string, operand: unknown, depth: number): readonly StateFilter[] {
  if (!Array.isArray(operand)) {
    throw new QuerySyntaxError(`${operator} filter must be an array`);
  }
  if (operand.length < 2) {
    throw new QuerySyntaxError(`${operator} filter must contain at least two entries`);
  }
  return operand.map((entry) => parseFilter(entry, depth + 1));
}

function pairOf(operator: string, operand: unknown): [key: string, value: unknown] {
  const object = asObject(operand);
  if (object === undefined) {
    throw new QuerySyntaxError(`${operator} filter must be a map`);
  }
  const entries = Object.entries(object);
  const [first] = entries;
  if (first === undefined || entries.length > 1) {
    throw new QuerySyntaxError(`${operator} filter must contain a single key/value pair`);
  }
  return first;
}

function sortField(body: JsonObject): StateQuery["sort"] {
  const sort = field(body, "sort");
  if (sort === undefined || sort === null) {
    return [];
  }
  if (!Array.isArray(sort)) {
    return mismatch(sort, "sort", "[]query.Sorting");
  }
  return sort.map((each: unknown) => {
    const sorting = each === null ? {} : (asObject(each) ?? mismatch(each, "sort", "query.Sorting"));
    const order = stringField(sorting, "sort.order");
    return { key: stringField(sorting, "sort.key"), order: order === "DESC" ? "DESC" : "ASC" };
  });
}

function objectField(owner: JsonObject, path: string, type: string): JsonObject | undefined {
  const value = field(owner, path);
  return value === undefined || value === null ? undefined : (asObject(value) ?? mismatch(value, path, type));
}

function stringField(owner: JsonObject, path: string): string {
  const value = field(owner, path) ?? "";
  return typeof value === "string" ? value : mismatch(value, path, "string");
}

function integerField(owner: JsonObject, path: string): number {
  const value = field(owner, path) ?? 0;
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new QuerySyntaxError(
      `json: cannot unmarshal number ${value} into Go struct field ${placeOf(path)} of type int`,
    );
  }
  return typeof value === "number" ? value : mismatch(value, path, "int");
}

/** The member that the path's last part names: an exact match wins over one in another case. */
function field(owner: JsonObject, path: string): unknown {
  const name = path.slice(path.lastIndexOf(".") + 1);
  if (Object.hasOwn(owner, name)) {
    return owner[name];
  }
  const folded = Object.keys(owner).find((each) => each.toLowerCase() === name);
  return folded === undefined ? undefined : owner[folded];
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

function mismatch(value: unknown, path: string, type: string): never {
  const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  const place = path === "" ? "value" : `struct field ${placeOf(path)}`;
  throw new QuerySyntaxError(`json: cannot unmarshal ${kind} into Go ${place} of type ${type}`);
}

function placeOf(path: string): string {
  return `QueryFields.${path}`;
}

import { errorMessage } from "../../kit/error-message.ts";
import { goQuote } from "../../kit/go-quote.ts";
import { ComponentError } from "../spi/errors.ts";
import type { QueriedItem, StateFilter, StateQuery, StateQueryRequest, StateQueryResult } from "../spi/state-query.ts";
import type { RedisReply } from "./client.ts";
import { REPEATABLE, type RedisConnection } from "./connection.ts";
import { parseGoInteger } from "./integers.ts";
import type { QueryIndex } from "./query-index.ts";
import { replyText } from "./replies.ts";

const DATA = "$.data";
const VERSION = "$.version";

/** The part of a connection that searches need. */
export type SearchConnection = Pick<RedisConnection, "send">;

/** A search ready to be sent, and what its answer has to be read with. */
export interface StateSearch {
  readonly command: readonly string[];
  /** Undefined: the query asks for no pages. */
  readonly offset: bigint | undefined;
}

/**
 * The search of RediSearch for a query, in Dapr's form: texts are put into it as they are written, so that its own
 * operators work in them.
 * @throws ComponentError `invalidRequest` in Dapr's words
 */
export function searchOf(name: string, { aliases }: QueryIndex, query: StateQuery): StateSearch {
  const { filter, sort, pageLimit, pageToken } = query;
  const command = ["FT.SEARCH", name, filter === undefined ? "*" : expressionOf(aliases, filter)];
  const [sorting, ...others] = sort;
  if (others.length > 0) {
    throw invalid("multiple SORTBY steps are not allowed. Sort multiple fields in a single step");
  }
  if (sorting !== undefined) {
    command.push("SORTBY", aliasOf(aliases, sorting.key), ...(sorting.order === "DESC" ? ["DESC"] : []));
  }
  let offset: bigint | undefined;
  if (pageLimit > 0) {
    offset = pageToken === "" ? 0n : offsetOf(pageToken);
    command.push("LIMIT", offset.toString(), String(pageLimit));
  }
  return { command: [...command, "RETURN", "2", DATA, VERSION], offset };
}

/** Reads the answer `[count, key, [$.data, value, $.version, etag], …]`. @throws ComponentError for any other */
export function foundBy({ offset }: StateSearch, reply: RedisReply): StateQueryResult {
  if (!Array.isArray(reply) || reply.length % 2 !== 1) {
    throw new ComponentError("unavailable", "invalid output");
  }
  const items: QueriedItem[] = [];
  for (let index = 1; index < reply.length; index += 2) {
    items.push(itemOf(replyText(reply[index]) ?? "", reply[index + 1]));
  }
  const token = offset === undefined || items.length === 0 ? "" : String(offset + BigInt(items.length));
  return { items, token, metadata: undefined };
}

/** Makes the indexes; one that is there already is made anew. @throws ComponentError in Dapr's words */
export async function createIndexes(
  connection: SearchConnection,
  indexes: ReadonlyMap<string, QueryIndex>,
): Promise<void> {
  try {
    for (const [name, { create }] of indexes) {
      try {
        await connection.send(create);
      } catch (error) {
        if (errorMessage(error) !== "Index already exists") {
          throw error;
        }
        await connection.send(["FT.DROPINDEX", name]);
        await connection.send(create);
      }
    }
  } catch (error) {
    const kind = error instanceof ComponentError ? error.kind : "unavailable";
    throw new ComponentError(kind, `redis store: error registering query schemas: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** Runs a query by the index that its metadata `queryIndexName` names. @throws ComponentError */
export async function search(
  connection: SearchConnection,
  indexes: ReadonlyMap<string, QueryIndex>,
  { query, metadata }: StateQueryRequest,
): Promise<StateQueryResult> {
  const name = metadata["queryIndexName"] ?? "";
  if (name === "") {
    throw invalid("query index not found");
  }
  const index = indexes.get(name);
  if (index === undefined) {
    throw invalid(`query index schema ${goQuote(name)} not found`);
  }
  const asked = searchOf(name, index, query);
  return foundBy(asked, await connection.send(asked.command, REPEATABLE));
}

function itemOf(key: string, fields: RedisReply | undefined): QueriedItem {
  if (Array.isArray(fields) && fields.length === 4 && replyText(fields[0]) === DATA && Buffer.isBuffer(fields[1])) {
    return { key, data: fields[1], etag: replyText(fields[3]), error: undefined };
  }
  return { key, data: new Uint8Array(0), etag: undefined, error: `the document has no ${DATA} and ${VERSION}` };
}

function expressionOf(aliases: ReadonlyMap<string, string>, filter: StateFilter): string {
  if ("filters" in filter) {
    const parts = filter.filters.map((part) => partOf(aliases, part));
    return `(${parts.join(filter.operator === "AND" ? " " : "|")})`;
  }
  if ("values" in filter) {
    return membershipOf(aliases, filter.key, filter.values);
  }
  const { operator, key, value } = filter;
  const field = `@${aliasOf(aliases, key)}`;
  if (operator === "EQ" || operator === "NEQ") {
    const equal = typeof value === "string" ? `${field}:(${value})` : `${field}:[${numeral(value)} ${numeral(value)}]`;
    // Dapr forgets the minus of a filter that stands alone, and finds what it should leave out.
    return operator === "EQ" ? equal : `-(${equal})`;
  }
  if (typeof value === "string") {
    throw invalid(`unsupported type of value ${value}; string type not permitted`);
  }
  const bound = numeral(value);
  switch (operator) {
    case "GT":
      return `${field}:[(${bound} +inf]`;
    case "GTE":
      return `${field}:[${bound} +inf]`;
    case "LT":
      return `${field}:[-inf (${bound}]`;
    case "LTE":
      return `${field}:[-inf ${bound}]`;
  }
}

/** A filter inside another one; what is bracketed or negated already stays as it is. */
function partOf(aliases: ReadonlyMap<string, string>, filter: StateFilter): string {
  const expression = expressionOf(aliases, filter);
  return filter.operator === "AND" || filter.operator === "OR" || filter.operator === "NEQ"
    ? expression
    : `(${expression})`;
}

function membershipOf(aliases: ReadonlyMap<string, string>, key: string, values: readonly unknown[]): string {
  if (values.length < 2) {
    throw invalid(`too few values in IN operator for key ${goQuote(key)}`);
  }
  if (values.every((value) => typeof value === "string")) {
    return `@${aliasOf(aliases, key)}:(${values.join("|")})`;
  }
  return expressionOf(aliases, { operator: "OR", filters: values.map((value) => ({ operator: "EQ", key, value })) });
}

function aliasOf(aliases: ReadonlyMap<string, string>, key: string): string {
  const alias = aliases.get(key);
  if (alias === undefined) {
    throw invalid(`JSON path ${goQuote(key)} is not indexed`);
  }
  return alias;
}

/** Six digits behind the point, as Go prints it. */
function numeral(value: unknown): string {
  if (typeof value !== "number") {
    throw invalid(`unsupported type of value ${JSON.stringify(value)}; only strings and numbers are permitted`);
  }
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}

function offsetOf(token: string): bigint {
  try {
    return parseGoInteger(token, "ParseInt");
  } catch (error) {
    throw invalid(errorMessage(error));
  }
}

function invalid(message: string): ComponentError {
  return new ComponentError("invalidRequest", message);
}

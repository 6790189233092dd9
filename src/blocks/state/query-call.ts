import type { StateQueryResult } from "../../components/spi/state-query.ts";
import { queryFailed, queryNotSupported } from "./errors.ts";
import { SEPARATOR } from "./key-prefix.ts";
import { parseStateQuery, QuerySyntaxError } from "./query.ts";
import type { StoreTarget } from "./store-target.ts";
import type { QueryState } from "./types.ts";

/**
 * The call that a query makes of its store, the query read and nothing done yet.
 * @throws ApiError for a store that cannot be queried, an encrypted one, or a query that cannot be read
 */
export function queryFor(target: StoreTarget, { query, metadata }: QueryState): () => Promise<StateQueryResult> {
  const run = target.query;
  if (run === undefined) {
    throw queryNotSupported(target.name);
  }
  if (target.cipher !== undefined) {
    throw queryFailed(target.name, "cannot query encrypted store");
  }
  try {
    const parsed = parseStateQuery(query);
    return () => run.call(target.component, { query: parsed, metadata });
  } catch (error) {
    if (error instanceof QuerySyntaxError) {
      throw queryFailed(target.name, `failed to parse JSON query body: ${error.message}`, error);
    }
    throw error;
  }
}

/**
 * Undefined for a page without items. A query is not bound to the app's prefix, in Dapr neither: of a stored key the
 * second part is shown.
 */
export function resultsOf(result: StateQueryResult): StateQueryResult | undefined {
  if (result.items.length === 0) {
    return undefined;
  }
  const items = result.items.map((item) => ({ ...item, key: item.key.split(SEPARATOR, 2)[1] ?? item.key }));
  return { ...result, items };
}

import type { StateBlock } from "../../blocks/state/state-block.ts";
import { stateErrors } from "../../errors/catalogue/state.ts";
import { apiError } from "../../errors/error.ts";
import type { HttpExchange } from "../../net/http/types.ts";
import { queryMetadata, respondJson } from "./reply.ts";
import type { PathParams } from "./route.ts";
import { ItemsBody } from "./state-items.ts";

/** What `include` may ask for. */
const VALUE = "value";

/**
 * `GET /outrigger/v1/state/{store}?prefix=…&pageSize=…&token=…&include=value`: our own addition to Dapr's API. Answers
 * `{items: [{key, value, etag, metadata, error}], token}`; an item with its value is what a save takes.
 */
export async function listState(
  exchange: HttpExchange,
  params: PathParams,
  query: string,
  block: StateBlock,
): Promise<void> {
  const given = new URLSearchParams(query);
  const include = given.get("include") ?? "";
  if (include !== "" && include !== VALUE) {
    throw apiError(stateErrors.listInclude, { given: include });
  }
  const { items, token } = await block.list({
    store: params["store"] ?? "",
    prefix: given.get("prefix") ?? "",
    pageSize: pageSizeOf(given.get("pageSize")),
    token: given.get("token") ?? "",
    includeValues: include === VALUE,
    metadata: queryMetadata(query),
  });
  const json = new ItemsBody('{"items":[', "value");
  for (const { key, item, error } of items) {
    json.add({ key, error, data: item?.data, etag: item?.etag, metadata: item?.metadata });
  }
  respondJson(exchange, 200, json.end(token === undefined ? "]}" : `],"token":"${token}"}`));
}

/** What is no whole number becomes NaN, which the block refuses. */
function pageSizeOf(text: string | null): number | undefined {
  if (text === null || text === "") {
    return undefined;
  }
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

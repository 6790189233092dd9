import type { StateBlock } from "../../blocks/state/state-block.ts";
import type { HttpExchange } from "../../net/http/types.ts";
import { queryMetadata, respondEmpty, respondJson } from "./reply.ts";
import type { PathParams } from "./route.ts";
import { ItemsBody } from "./state-items.ts";

const NULL = Buffer.from("null");

/** `POST /v1.0-alpha1/state/{store}/query`; the body is the query. */
export async function queryState(
  exchange: HttpExchange,
  params: PathParams,
  query: string,
  block: StateBlock,
  maxBodyBytes: number,
): Promise<void> {
  const store = params["store"] ?? "";
  block.requireStore(store);
  const body = await exchange.readBody(maxBodyBytes);
  const result = await block.query({ store, query: body, metadata: queryMetadata(query) });
  if (result === undefined) {
    respondEmpty(exchange);
    return;
  }
  const json = new ItemsBody('{"results":[', "data");
  for (const { key, data, etag, error } of result.items) {
    const answered = { key, data: data.length === 0 ? NULL : data, etag: etag === "" ? undefined : etag };
    json.add(error === undefined || error === "" ? answered : { ...answered, error });
  }
  const token = result.token === "" ? "" : `,"token":${JSON.stringify(result.token)}`;
  const metadata = result.metadata === undefined ? "" : `,"metadata":${JSON.stringify(result.metadata)}`;
  respondJson(exchange, 200, json.end(`]${token}${metadata}}\n`));
}

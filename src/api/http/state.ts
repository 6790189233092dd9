import type { StateBlock } from "../../blocks/state/state-block.ts";
import type { StateItem } from "../../components/spi/state.ts";
import type { HttpExchange } from "../../net/http/types.ts";
import { decodeBulkGetBody, decodeSaveBody, decodeTransactionBody } from "./json-state.ts";
import { queryMetadata, respondEmpty, respondJson } from "./reply.ts";
import { requestTrace } from "./request-trace.ts";
import type { PathParams, Route, RouteGroup, RouteHandler } from "./route.ts";
import { httpStateError, malformedBody, malformedSave } from "./state-errors.ts";
import { ItemsBody } from "./state-items.ts";
import { listState } from "./state-list.ts";
import { queryState } from "./state-query.ts";

const GROUP: RouteGroup = { name: "state", version: "v1" };
const WRITE_METHODS = ["POST", "PUT"];

export interface StateRoutesOptions {
  /** Bytes of a request body (`--max-body-size`); 0: no limit. */
  readonly maxBodyBytes: number;
}

/** Routes 1 to 6 of the HTTP API: get, save, delete, bulk get, transaction, query; and our own listing of keys. */
export function stateRoutes(block: StateBlock, { maxBodyBytes }: StateRoutesOptions): Route[] {
  const handler =
    (
      handle: (
        exchange: HttpExchange,
        params: PathParams,
        query: string,
        block: StateBlock,
        maxBodyBytes: number,
      ) => Promise<void>,
    ): RouteHandler =>
    async (exchange, params, query) => {
      try {
        await handle(exchange, params, query, block, maxBodyBytes);
      } catch (error) {
        throw httpStateError(error, block.appId);
      }
    };
  return [
    { methods: ["GET"], path: "/v1.0/state/:store/:key", group: GROUP, name: "GetState", handler: handler(getState) },
    {
      methods: WRITE_METHODS,
      path: "/v1.0/state/:store",
      group: GROUP,
      name: "SaveState",
      handler: handler(saveState),
    },
    {
      methods: ["DELETE"],
      path: "/v1.0/state/:store/:key",
      group: GROUP,
      name: "DeleteState",
      handler: handler(deleteState),
    },
    {
      methods: WRITE_METHODS,
      path: "/v1.0/state/:store/bulk",
      group: GROUP,
      name: "GetBulkState",
      handler: handler(bulkGetState),
    },
    {
      methods: WRITE_METHODS,
      path: "/v1.0/state/:store/transaction",
      group: GROUP,
      name: "ExecuteStateTransaction",
      handler: handler(transaction),
    },
    {
      methods: WRITE_METHODS,
      path: "/v1.0-alpha1/state/:store/query",
      group: { name: "state", version: "v1alpha1" },
      name: "QueryStateAlpha1",
      // Past `httpStateError`: this route alone answers in the same words as its gRPC twin.
      handler: (exchange, params, query) => queryState(exchange, params, query, block, maxBodyBytes),
    },
    {
      methods: ["GET"],
      path: "/outrigger/v1/state/:store",
      group: GROUP,
      name: "ListState",
      handler: handler(listState),
    },
  ];
}

async function getState(exchange: HttpExchange, params: PathParams, query: string, block: StateBlock): Promise<void> {
  const item = await block.get({
    store: params["store"] ?? "",
    key: params["key"] ?? "",
    consistency: option(query, "consistency"),
    metadata: queryMetadata(query),
  });
  if (item === undefined || item.data.length === 0) {
    respondEmpty(exchange);
  } else {
    exchange.respond(200, itemHeaders(item), item.data);
  }
}

/** The content type is always JSON, whatever was saved. */
function itemHeaders({ etag, metadata }: StateItem): string[] {
  const headers =
    etag === undefined ? ["content-type", "application/json"] : ["content-type", "application/json", "etag", etag];
  if (metadata !== undefined) {
    for (const name of Object.keys(metadata)) {
      headers.push(`metadata.${name.toLowerCase()}`, metadata[name] ?? "");
    }
  }
  return headers;
}

async function saveState(
  exchange: HttpExchange,
  params: PathParams,
  query: string,
  block: StateBlock,
  maxBodyBytes: number,
): Promise<void> {
  const store = params["store"] ?? "";
  block.requireStore(store);
  const body = await exchange.readBody(maxBodyBytes);
  let items;
  try {
    items = decodeSaveBody(body, queryMetadata(query));
  } catch (error) {
    throw malformedSave(error);
  }
  await block.save({ store, items });
  respondEmpty(exchange);
}

async function deleteState(
  exchange: HttpExchange,
  params: PathParams,
  query: string,
  block: StateBlock,
): Promise<void> {
  await block.delete({
    store: params["store"] ?? "",
    key: params["key"] ?? "",
    etag: exchange.header("if-match"),
    concurrency: option(query, "concurrency"),
    consistency: option(query, "consistency"),
    metadata: queryMetadata(query),
  });
  respondEmpty(exchange);
}

async function bulkGetState(
  exchange: HttpExchange,
  params: PathParams,
  query: string,
  block: StateBlock,
  maxBodyBytes: number,
): Promise<void> {
  const store = params["store"] ?? "";
  block.requireStore(store);
  const body = await exchange.readBody(maxBodyBytes);
  let request;
  try {
    request = decodeBulkGetBody(body);
  } catch (error) {
    throw malformedBody(error);
  }
  const { keys, parallelism } = request;
  const results = await block.bulkGet({
    store,
    keys,
    parallelism,
    metadata: { ...request.metadata, ...queryMetadata(query) },
  });
  // It ends in the newline of Go's encoder.
  const json = new ItemsBody("[", "data");
  for (const { key, item, error } of results) {
    const data = item === undefined || item.data.length === 0 ? undefined : item.data;
    json.add(error === undefined ? { key, data, etag: item?.etag, metadata: item?.metadata } : { key, error });
  }
  respondJson(exchange, 200, json.end("]\n"));
}

async function transaction(
  exchange: HttpExchange,
  params: PathParams,
  query: string,
  block: StateBlock,
  maxBodyBytes: number,
): Promise<void> {
  const store = params["store"] ?? "";
  block.requireTransactional(store);
  const body = await exchange.readBody(maxBodyBytes);
  let request;
  try {
    request = decodeTransactionBody(body, queryMetadata(query));
  } catch (error) {
    throw malformedBody(error);
  }
  await block.transaction({
    store,
    operations: request.operations,
    metadata: request.metadata,
    trace: requestTrace(exchange),
  });
  respondEmpty(exchange);
}

function option(query: string, name: string): string {
  return query.includes(name) ? (new URLSearchParams(query).get(name) ?? "") : "";
}

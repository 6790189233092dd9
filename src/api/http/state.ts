import type { StateBlock } from "../../blocks/state/state-block.ts";
import type { BulkGetResult } from "../../blocks/state/types.ts";
import type { StateItem } from "../../components/spi/state.ts";
import { jsonFault } from "../../kit/json-scanner.ts";
import type { HttpExchange } from "../../net/http/types.ts";
import { decodeBulkGetBody, decodeSaveBody, decodeTransactionBody } from "./json-state.ts";
import { queryMetadata, respondEmpty, respondJson } from "./reply.ts";
import type { PathParams, Route, RouteGroup, RouteHandler } from "./route.ts";
import { httpStateError, malformedBody, malformedSave } from "./state-errors.ts";
import { isUtf8 } from "node:buffer";

const GROUP: RouteGroup = { name: "state", version: "v1" };
const WRITE_METHODS = ["POST", "PUT"];

export interface StateRoutesOptions {
  /** Bytes of a request body (`--max-body-size`); 0: no limit. */
  readonly maxBodyBytes: number;
}

/** Routes 1 to 6 of the HTTP API: get, save, delete, bulk get, transaction, query. */
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
      handler: (_exchange, params) => block.query(params["store"] ?? ""),
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
  respondJson(exchange, 200, bulkBody(results));
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
  await block.transaction({ store, operations: request.operations, metadata: request.metadata });
  respondEmpty(exchange);
}

function option(query: string, name: string): string {
  return query.includes(name) ? (new URLSearchParams(query).get(name) ?? "") : "";
}

/** The array of a bulk read, with the newline that Go's encoder ends in; values go in as they were stored. */
function bulkBody(results: readonly BulkGetResult[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let text = "[";
  for (const { key, item, error } of results) {
    text += `${text === "[" ? "" : ","}{"key":${JSON.stringify(key)}`;
    if (error !== undefined) {
      text += `,"error":${JSON.stringify(error)}`;
    } else if (item !== undefined) {
      if (item.data.length > 0) {
        parts.push(Buffer.from(`${text},"data":`), jsonValueOf(item.data));
        text = "";
      }
      text += item.etag === undefined ? "" : `,"etag":${JSON.stringify(item.etag)}`;
      text += item.metadata === undefined ? "" : `,"metadata":${JSON.stringify(item.metadata)}`;
    }
    text += "}";
  }
  parts.push(Buffer.from(`${text}]\n`));
  return Buffer.concat(parts);
}

/**
 * A stored value inside JSON. Values written over gRPC or decrypted need not be JSON: Dapr then answers with an empty
 * body and loses the other keys too; we give text as a JSON string and anything else as base64.
 */
function jsonValueOf(data: Uint8Array): Uint8Array {
  if (jsonFault(data) === undefined) {
    return data;
  }
  return Buffer.from(JSON.stringify(Buffer.from(data).toString(isUtf8(data) ? "utf8" : "base64")));
}

import type { Empty } from "@bufbuild/protobuf/wkt";
import type { StateBlock } from "../../blocks/state/state-block.ts";
import type { BulkGetResult, SaveItem } from "../../blocks/state/types.ts";
import type { StateItem as StoredItem } from "../../components/spi/state.ts";
import type { StateQueryResult } from "../../components/spi/state-query.ts";
import type { UnaryHandler } from "../../net/grpc/types.ts";
import type { StateItem, StateOptions } from "../../wire/gen/dapr/proto/common/v1/common_pb.js";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import type {
  BulkStateItem,
  GetStateResponse,
  QueryStateResponse,
} from "../../wire/gen/dapr/proto/runtime/v1/state_pb.js";
import { callTrace } from "./call-trace.ts";
import type { ServiceHandlers } from "./service.ts";
import { grpcStateError } from "./state-errors.ts";

type StateMethod =
  | "getState"
  | "getBulkState"
  | "saveState"
  | "deleteState"
  | "deleteBulkState"
  | "executeStateTransaction"
  | "queryStateAlpha1";

/** By the enums' numbers; 0 is "unspecified". */
const CONCURRENCIES = ["", "first-write", "last-write"];
const CONSISTENCIES = ["", "eventual", "strong"];

const EMPTY: Empty = { $typeName: "google.protobuf.Empty" };
const NO_BYTES = new Uint8Array(0);
const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});

/**
 * The state methods of `dapr.proto.runtime.v1.Dapr`. Answers are written as literals, which are what the encoder reads;
 * `create` would copy them field by field.
 */
export function stateHandlers(block: StateBlock): Pick<ServiceHandlers<typeof Dapr>, StateMethod> {
  return {
    getState: named(async (request) =>
      getResponse(
        await block.get({
          store: request.storeName,
          key: request.key,
          consistency: CONSISTENCIES[request.consistency] ?? "",
          metadata: request.metadata,
        }),
      ),
    ),
    getBulkState: named(async ({ storeName, keys, parallelism, metadata }) => ({
      $typeName: "dapr.proto.runtime.v1.GetBulkStateResponse",
      items: (await block.bulkGet({ store: storeName, keys, parallelism, metadata })).map(bulkItem),
    })),
    saveState: named(async ({ storeName, states }) => {
      await block.save({ store: storeName, items: states.map(saveItem) });
      return EMPTY;
    }),
    deleteState: named(async ({ storeName, key, etag, options, metadata }) => {
      await block.delete({ store: storeName, key, etag: etag?.value, metadata, ...optionsOf(options) });
      return EMPTY;
    }),
    deleteBulkState: named(async ({ storeName, states }) => {
      await block.bulkDelete({ store: storeName, items: states.map(saveItem) });
      return EMPTY;
    }),
    executeStateTransaction: named(async ({ storeName, operations, metadata }, call) => {
      const stored = operations.map(({ operationType, request }) => ({
        kind: operationType,
        item: request === undefined ? NO_ITEM : saveItem(request),
      }));
      await block.transaction({ store: storeName, operations: stored, metadata, trace: callTrace(call) });
      return EMPTY;
    }),
    queryStateAlpha1: async ({ storeName, query, metadata }) =>
      queryResponse(await block.query({ store: storeName, query: Buffer.from(query), metadata })),
  };
}

function named<I, O>(handler: UnaryHandler<I, O>): UnaryHandler<I, O> {
  return async (request, call) => {
    try {
      return await handler(request, call);
    } catch (error) {
      throw grpcStateError(error);
    }
  };
}

const NO_ITEM: SaveItem = {
  key: "",
  value: NO_BYTES,
  valueIsJson: false,
  etag: undefined,
  metadata: NO_METADATA,
  concurrency: "",
  consistency: "",
};

function saveItem({ key, value, etag, metadata, options }: StateItem): SaveItem {
  const { concurrency, consistency } = optionsOf(options);
  return { key, value, valueIsJson: false, etag: etag?.value, metadata, concurrency, consistency };
}

function optionsOf(options: StateOptions | undefined): Pick<SaveItem, "concurrency" | "consistency"> {
  return options === undefined
    ? NO_OPTIONS
    : { concurrency: CONCURRENCIES[options.concurrency] ?? "", consistency: CONSISTENCIES[options.consistency] ?? "" };
}

const NO_OPTIONS = Object.freeze({ concurrency: "", consistency: "" });

function getResponse(item: StoredItem | undefined): GetStateResponse {
  return {
    $typeName: "dapr.proto.runtime.v1.GetStateResponse",
    data: item?.data ?? NO_BYTES,
    etag: item?.etag ?? "",
    metadata: item?.metadata ?? NO_METADATA,
  };
}

function queryResponse(result: StateQueryResult | undefined): QueryStateResponse {
  return {
    $typeName: "dapr.proto.runtime.v1.QueryStateResponse",
    results: (result?.items ?? []).map(({ key, data, etag, error }) => ({
      $typeName: "dapr.proto.runtime.v1.QueryStateItem",
      key,
      data,
      etag: etag ?? "",
      error: error ?? "",
    })),
    token: result?.token ?? "",
    metadata: result?.metadata ?? NO_METADATA,
  };
}

function bulkItem({ key, item, error }: BulkGetResult): BulkStateItem {
  return {
    $typeName: "dapr.proto.runtime.v1.BulkStateItem",
    key,
    data: item?.data ?? NO_BYTES,
    etag: item?.etag ?? "",
    metadata: item?.metadata ?? NO_METADATA,
    error: error ?? "",
  };
}

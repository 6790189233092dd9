import { create } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import {
  type BulkStateItem as WireBulkItem,
  type DeleteRequest,
  DeleteRequestSchema,
  type Etag,
  type GetRequest,
  GetRequestSchema,
  type GetResponse,
  type QueryRequest,
  QueryRequestSchema,
  type QueryResponse,
  type SetRequest,
  SetRequestSchema,
  Sorting_Order,
  StateOptions_StateConcurrency as WireConcurrency,
  StateOptions_StateConsistency as WireConsistency,
  type TransactionalStateOperation,
  TransactionalStateOperationSchema,
} from "../../wire/gen/dapr/proto/components/v1/state_pb.js";
import type { StateQueryRequest, StateQueryResult } from "../spi/state-query.ts";
import type {
  BulkStateItem,
  Concurrency,
  Consistency,
  StateDeleteRequest,
  StateGetRequest,
  StateItem,
  StateOperation,
  StateSetRequest,
} from "../spi/state.ts";
import type { RequestMetadata } from "../spi/request-metadata.ts";

export function getRequestOf({ key, metadata, consistency }: StateGetRequest): GetRequest {
  return create(GetRequestSchema, { key, metadata, consistency: consistencyOf(consistency) });
}

export function setRequestOf(request: StateSetRequest): SetRequest {
  const { key, value, metadata } = request;
  return create(SetRequestSchema, { key, value, metadata, ...checksOf(request) });
}

export function deleteRequestOf(request: StateDeleteRequest): DeleteRequest {
  const { key, metadata } = request;
  return create(DeleteRequestSchema, { key, metadata, ...checksOf(request) });
}

export function operationOf(operation: StateOperation): TransactionalStateOperation {
  return create(TransactionalStateOperationSchema, {
    request:
      operation.kind === "upsert"
        ? { case: "set", value: setRequestOf(operation.request) }
        : { case: "delete", value: deleteRequestOf(operation.request) },
  });
}

/** The filter goes out as it was written, each operand as the text of its JSON. */
export function queryRequestOf({ query, metadata }: StateQueryRequest): QueryRequest {
  const filter: Record<string, Any> = {};
  for (const [operator, operand] of Object.entries(query.writtenFilter)) {
    filter[operator] = create(AnySchema, { value: Buffer.from(JSON.stringify(operand)) });
  }
  return create(QueryRequestSchema, {
    metadata,
    query: {
      filter,
      sort: query.sort.map(({ key, order }) => ({
        key,
        order: order === "DESC" ? Sorting_Order.DESC : Sorting_Order.ASC,
      })),
      pagination: { limit: BigInt(query.pageLimit), token: query.pageToken },
    },
  });
}

/** Undefined: there is no such key, which the protocol says by an answer without data. */
export function itemOf({ data, etag, metadata }: GetResponse | WireBulkItem): StateItem | undefined {
  if (data.length === 0 && etag === undefined) {
    return undefined;
  }
  return { data, etag: etagOf(etag), metadata: metadataOf(metadata) };
}

/** Components answer in any order and may leave keys out: results are put in the order asked. */
export function bulkItemsOf(keys: readonly string[], items: readonly WireBulkItem[]): readonly BulkStateItem[] {
  const byKey = new Map(items.map((item) => [item.key, item]));
  return keys.map((key) => {
    const found = byKey.get(key);
    if (found === undefined) {
      return { key, item: undefined };
    }
    return found.error === "" ? { key, item: itemOf(found) } : { key, item: undefined, error: found.error };
  });
}

export function queryResultOf({ items, token, metadata }: QueryResponse): StateQueryResult {
  return {
    items: items.map(({ key, data, etag, error }) => ({
      key,
      data,
      etag: etagOf(etag),
      error: error === "" ? undefined : error,
    })),
    token,
    metadata: metadataOf(metadata),
  };
}

/** What a write is made under: an etag that was given, and its options. */
function checksOf({ etag, concurrency, consistency }: Pick<StateSetRequest, "etag" | "concurrency" | "consistency">) {
  const options = { concurrency: concurrencyOf(concurrency), consistency: consistencyOf(consistency) };
  return etag === undefined || etag === "" ? { options } : { options, etag: { value: etag } };
}

function etagOf(etag: Etag | undefined): string | undefined {
  return etag?.value;
}

function metadataOf(metadata: RequestMetadata): RequestMetadata | undefined {
  return Object.keys(metadata).length === 0 ? undefined : metadata;
}

function consistencyOf(consistency: Consistency): WireConsistency {
  switch (consistency) {
    case "eventual":
      return WireConsistency.CONSISTENCY_EVENTUAL;
    case "strong":
      return WireConsistency.CONSISTENCY_STRONG;
    case "":
      return WireConsistency.CONSISTENCY_UNSPECIFIED;
  }
}

function concurrencyOf(concurrency: Concurrency): WireConcurrency {
  switch (concurrency) {
    case "first-write":
      return WireConcurrency.CONCURRENCY_FIRST_WRITE;
    case "last-write":
      return WireConcurrency.CONCURRENCY_LAST_WRITE;
    case "":
      return WireConcurrency.CONCURRENCY_UNSPECIFIED;
  }
}

import type { RequestMetadata } from "./request-metadata.ts";

/** Operators that compare the field at a JSON path with one value. */
export type ComparisonOperator = "EQ" | "NEQ" | "GT" | "GTE" | "LT" | "LTE";

/** A value as JSON has it. */
export type QueryValue = unknown;

/** What items must fulfil: a comparison, membership in a list, or several filters joined. */
export type StateFilter =
  | { readonly operator: ComparisonOperator; readonly key: string; readonly value: QueryValue }
  | { readonly operator: "IN"; readonly key: string; readonly values: readonly QueryValue[] }
  | { readonly operator: "AND" | "OR"; readonly filters: readonly StateFilter[] };

/** A parsed query of the state API (https://docs.dapr.io/developing-applications/building-blocks/state-management/howto-state-query-api/). */
export interface StateQuery {
  /** Undefined: all items. */
  readonly filter: StateFilter | undefined;
  /** The filter as it was written, for stores that pass it on; empty without a filter. */
  readonly writtenFilter: Readonly<Record<string, unknown>>;
  readonly sort: readonly { readonly key: string; readonly order: "ASC" | "DESC" }[];
  /** Most results of one page; 0: the store's own limit. */
  readonly pageLimit: number;
  /** From the page before; empty: from the start. */
  readonly pageToken: string;
}

export interface StateQueryRequest {
  readonly query: StateQuery;
  /** `queryIndexName` and whatever else a store wants to know. */
  readonly metadata: RequestMetadata;
}

/** One result: its data, or why it could not be read. Keys are stored ones. */
export interface QueriedItem {
  readonly key: string;
  readonly data: Uint8Array;
  readonly etag: string | undefined;
  readonly error: string | undefined;
}

export interface StateQueryResult {
  readonly items: readonly QueriedItem[];
  /** Empty: no further page. */
  readonly token: string;
  readonly metadata: RequestMetadata | undefined;
}

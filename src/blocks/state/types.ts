import type { StateItem } from "../../components/spi/state.ts";
import type { RequestMetadata } from "../../components/spi/request-metadata.ts";
import type { TransactionTrace } from "./outbox-port.ts";

/** Reads one key. An unknown consistency counts as none, as in Dapr. */
export interface GetState {
  readonly store: string;
  readonly key: string;
  readonly consistency: string;
  readonly metadata: RequestMetadata;
}

export interface BulkGetState {
  readonly store: string;
  readonly keys: readonly string[];
  /** Reads under way at once in stores that read key by key; 0 or less leaves it to us. */
  readonly parallelism: number;
  readonly metadata: RequestMetadata;
}

/** What became of one key of a bulk read: neither item nor error when it does not exist. */
export interface BulkGetResult {
  readonly key: string;
  readonly item: StateItem | undefined;
  readonly error: string | undefined;
}

export interface DeleteItem {
  readonly key: string;
  /** Undefined or empty: none was given. */
  readonly etag: string | undefined;
  readonly metadata: RequestMetadata;
  readonly concurrency: string;
  readonly consistency: string;
}

export interface SaveItem extends DeleteItem {
  readonly value: Uint8Array;
  /** The value is the text of a JSON value, which is what HTTP callers write. */
  readonly valueIsJson: boolean;
  /** Given beside the value; the outbox prefers it to the metadata's. */
  readonly contentType?: string | undefined;
}

export interface SaveState {
  readonly store: string;
  readonly items: readonly SaveItem[];
}

export interface DeleteState extends DeleteItem {
  readonly store: string;
}

export interface BulkDeleteState {
  readonly store: string;
  readonly items: readonly DeleteItem[];
}

/** `kind` is what the caller wrote; anything but `upsert` and `delete` is refused. A delete's value is not looked at. */
export interface TransactionOperation {
  readonly kind: string;
  readonly item: SaveItem;
}

export interface StateTransaction {
  readonly store: string;
  readonly operations: readonly TransactionOperation[];
  readonly metadata: RequestMetadata;
  /** For the events of a store with an outbox. */
  readonly trace?: TransactionTrace | undefined;
}

export interface QueryState {
  readonly store: string;
  /** JSON text as the caller sent it. */
  readonly query: Uint8Array;
  readonly metadata: RequestMetadata;
}

/** Asks for one page of a store's keys. */
export interface ListState {
  readonly store: string;
  /** Empty: all keys of the app. */
  readonly prefix: string;
  /** Undefined: the default. */
  readonly pageSize?: number | undefined;
  /** From the page before; empty or undefined: the first page. */
  readonly token?: string | undefined;
  readonly includeValues: boolean;
  /** For the reads of the values. */
  readonly metadata: RequestMetadata;
}

/** One page; `item` and `error` are filled where values were asked for. */
export interface ListedState {
  readonly items: readonly BulkGetResult[];
  /** Undefined on the last page. */
  readonly token: string | undefined;
}

/** Operations as label `operation` of `dapr_component_state_count` names them. */
export type StateOperationName = "get" | "set" | "delete" | "bulk_get" | "bulk_delete" | "transaction" | "query";

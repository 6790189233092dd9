import type { RequestMetadata, StateItem } from "../../components/spi/state.ts";

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
}

/** Operations as label `operation` of `dapr_component_state_count` names them. */
export type StateOperationName = "get" | "set" | "delete" | "bulk_get" | "bulk_delete" | "transaction";

/** Told about every call that reached a component. */
export interface StateObserver {
  stateInvoked(store: string, operation: StateOperationName, succeeded: boolean, latencyMs: number): void;
}

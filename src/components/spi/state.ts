import type { RequestMetadata } from "./request-metadata.ts";
import type { Component } from "./component.ts";
import type { StateQueryRequest, StateQueryResult } from "./state-query.ts";

export type Concurrency = "" | "first-write" | "last-write";
export type Consistency = "" | "eventual" | "strong";

/** Key/value metadata of one request, for example `ttlInSeconds`, `contentType`, `partitionKey`. */
export interface StateGetRequest {
  readonly key: string;
  readonly metadata: RequestMetadata;
  readonly consistency: Consistency;
}

/** A value as stored. `metadata.ttlExpireTime` is RFC 3339 in UTC where the item expires. */
export interface StateItem {
  readonly data: Uint8Array;
  readonly etag: string | undefined;
  readonly metadata: RequestMetadata | undefined;
}

export interface StateSetRequest {
  readonly key: string;
  readonly value: Uint8Array;
  /** The value is JSON text: stores with a JSON column may store it as such. Otherwise it is opaque bytes. */
  readonly valueIsJson: boolean;
  /** Undefined or empty: none was given. */
  readonly etag: string | undefined;
  readonly metadata: RequestMetadata;
  readonly concurrency: Concurrency;
  readonly consistency: Consistency;
}

export interface StateDeleteRequest {
  readonly key: string;
  readonly etag: string | undefined;
  readonly metadata: RequestMetadata;
  readonly concurrency: Concurrency;
  readonly consistency: Consistency;
}

export type StateOperation =
  | { readonly kind: "upsert"; readonly request: StateSetRequest }
  | { readonly kind: "delete"; readonly request: StateDeleteRequest };

/** One key of a bulk read: the item, undefined when it does not exist, or why it could not be read. */
export interface BulkStateItem {
  readonly key: string;
  readonly item: StateItem | undefined;
  readonly error?: string;
}

/** `pattern` is SQL's LIKE: `%` any text, `_` any character, `\` before either takes it literally. */
export interface KeysLikeRequest {
  readonly pattern: string;
  /** From the page before; undefined: from the start. */
  readonly continuationToken: string | undefined;
  /** Undefined: all keys in one page. */
  readonly pageSize: number | undefined;
}

/** Keys in a stable order; a token when more follow. */
export interface KeysPage {
  readonly keys: readonly string[];
  readonly continuationToken: string | undefined;
}

/** The keys that begin with `scope` + `prefix` and hold no `||` behind the scope: those of one app, not what lies deeper. */
export interface ListKeysRequest {
  /** What stands before all keys of the caller; may be empty. */
  readonly scope: string;
  readonly prefix: string;
  /** The last key of the page before, scope included; undefined: from the start. */
  readonly after: string | undefined;
  /** Most keys of the page, at least 1. */
  readonly limit: number;
}

/** Whole keys, scope included, in the order of their UTF-8 bytes. */
export interface ListedKeys {
  readonly keys: readonly string[];
  /** Further keys follow the last one. */
  readonly more: boolean;
}

/** Capabilities that Dapr does not know: they are ours alone and not told in `GET /v1.0/metadata`. */
export const OWN_STATE_CAPABILITIES: readonly string[] = ["LIST_KEYS", "FENCED"];

/** A row that tells a transaction whether others have written since its writer began to read. Values are JSON strings. */
export interface StateFence {
  readonly key: string;
  /** What the row holds, to the byte; undefined: there is none. */
  readonly expected: Uint8Array | undefined;
  /** What it holds afterwards, for ever: no time to live of the component or the request applies. */
  readonly next: Uint8Array;
}

/**
 * A state store. `first-write` without an etag means the key must not exist; an etag that does not match throws
 * ComponentError `etagMismatch`, one the store cannot read `etagInvalid`. Optional methods exist exactly where the
 * manifest declares the capability.
 */
export interface StateStore extends Component {
  /** @returns undefined when the key does not exist or has expired */
  get(request: StateGetRequest): Promise<StateItem | undefined>;
  set(request: StateSetRequest): Promise<void>;
  delete(request: StateDeleteRequest): Promise<void>;
  /** Answers in the order of the requests. Stores without it are read key by key. */
  bulkGet?(requests: readonly StateGetRequest[]): Promise<readonly BulkStateItem[]>;
  /** Several writes in one call, no transaction. Stores without them are written key by key. @throws ComponentError for what failed */
  bulkSet?(requests: readonly StateSetRequest[]): Promise<void>;
  bulkDelete?(requests: readonly StateDeleteRequest[]): Promise<void>;
  /** Capability TRANSACTIONAL: all operations or none. */
  transact?(operations: readonly StateOperation[], metadata: RequestMetadata): Promise<void>;
  /**
   * Capability FENCED: as `transact`, where the fence holds and is moved on in the same atomic step. It counts as one
   * operation more.
   * @throws ComponentError `fenceMismatch` where it does not hold; nothing is written
   */
  transactFenced?(operations: readonly StateOperation[], fence: StateFence, metadata: RequestMetadata): Promise<void>;
  /** Most operations in one transaction; undefined: no limit. */
  readonly transactionOperationsMax?: number;
  /** For stores that have to be asked for that limit: called before each transaction; asks once and never throws. */
  learnTransactionLimit?(): Promise<void>;
  /** Capability KEYS_LIKE. @throws ComponentError `invalidRequest` for an empty pattern or a token that is none of ours */
  keysLike?(request: KeysLikeRequest): Promise<KeysPage>;
  /**
   * Capability LIST_KEYS: keys in order, expired ones left out. Paging by the last key is stable: a key that is there all
   * the time comes once, whatever is written meanwhile.
   */
  listKeys?(request: ListKeysRequest): Promise<ListedKeys>;
  /** Capability QUERY_API. @throws ComponentError with the store's reason */
  query?(request: StateQueryRequest): Promise<StateQueryResult>;
  /** Capability DELETE_WITH_PREFIX: deletes keys directly under `prefix` (it ends in `||`, nothing follows with another `||`). */
  deletePrefix?(prefix: string): Promise<number>;
}

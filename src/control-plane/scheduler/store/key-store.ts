/**
 * The one port beneath the scheduler: keys in order, with etcd's revisions. Every commit has a number of its own, greater
 * than all before it; a key remembers the commit that made it and the last that changed it.
 */
export interface KeyStore {
  /** The number of the last commit. */
  readonly revision: number;
  /** Bytes of all keys and values. */
  readonly bytes: number;
  /** What commits have put on disk, and nothing else. */
  get(key: string): Promise<KeyValue | undefined>;
  /** Keys of a range in their order. */
  list(range: KeyRange, options: ListOptions): Promise<readonly KeyValue[]>;
  count(range: KeyRange): Promise<number>;
  /**
   * `apply` if all conditions hold, otherwise `otherwise`; all of it or nothing. Resolves when it is on disk.
   * @throws KeyStoreError
   */
  commit(commit: Commit): Promise<CommitResult>;
  /** Reads a range as it is now and follows it from there on, until it is ended. */
  follow(range: KeyRange, follower: Follower): Following;
  close(): Promise<void>;
}

/** A store of this process alone, whose every commit can be heard. */
export interface WatchedKeyStore extends KeyStore {
  /** Hears of every change, in the order of the commits, before the commit resolves. @returns ends it */
  watch(listener: (changes: readonly KeyChange[], revision: number) => void): () => void;
}

/**
 * Who follows a range. Changes come in the order of their revisions and may come between pages; a key of a page may be one
 * that is known already, by the same revision.
 */
export interface Follower {
  /** The range is read from its beginning: first, and again where the store can no longer tell what has changed. */
  begin(): void;
  /** Keys of the range in their order; the next page waits for this one. What it throws is tried again from `begin`. */
  page(kvs: readonly KeyValue[]): Promise<void> | void;
  /** All keys have been told: what was not, neither on a page nor as a change since `begin`, is gone. */
  synced(): void;
  /** A store that can keep back further changes waits for it. */
  changed(changes: readonly KeyChange[], revision: number): Promise<void> | void;
}

export interface Following {
  /**
   * Resolves when all has been told once, or when it was ended before that. A store that others share tries until then; any
   * other rejects with KeyStoreError.
   */
  readonly synced: Promise<void>;
  /** Nothing is told any more. */
  end(): void;
}

export interface KeyValue {
  readonly key: string;
  /** Empty where only keys were asked for. */
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Changes since it was made. */
  readonly version: number;
  /** Zero for none. */
  readonly lease: number;
}

/** Keys from `from` on and before `to`, by their UTF-8 bytes; without an end, all further keys. */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array | undefined;
}

export interface ListOptions {
  readonly limit: number;
  readonly keysOnly?: boolean;
}

/** Whether a key is as it was: last changed by a commit, or (0) not there. */
export interface Condition {
  readonly key: string;
  readonly modRevision: number;
}

export type KeyOperation =
  | { readonly kind: "put"; readonly key: string; readonly value: Uint8Array; readonly lease?: number }
  | { readonly kind: "delete"; readonly key: string }
  | { readonly kind: "delete range"; readonly range: KeyRange };

export interface Commit {
  readonly conditions?: readonly Condition[];
  readonly apply: readonly KeyOperation[];
  readonly otherwise?: readonly KeyOperation[];
  /** Progress of what is there already: written however full the store is. */
  readonly essential?: boolean;
}

export interface CommitResult {
  /** All conditions held. */
  readonly succeeded: boolean;
  readonly revision: number;
  /** Keys deleted by each operation of the branch taken; 0 for a put. */
  readonly deleted: readonly number[];
}

export type KeyChange =
  | { readonly kind: "put"; readonly kv: KeyValue }
  | { readonly kind: "delete"; readonly key: string };

export type KeyStoreErrorKind = "no space" | "too large" | "overloaded" | "failed" | "closed";

export class KeyStoreError extends Error {
  override readonly name = "KeyStoreError";
  readonly kind: KeyStoreErrorKind;

  constructor(kind: KeyStoreErrorKind, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

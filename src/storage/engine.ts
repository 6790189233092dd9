import type { Clock } from "../kit/clock.ts";

/** What SQLite stores and gives back. Numbers are bound as such; integers beyond 2^53 are bigints going in. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** A row's columns in the order of the statement's result. */
export type Row = readonly SqlValue[];

/** One statement of a write. */
export interface Step<S extends string = string> {
  readonly statement: S;
  readonly params: readonly SqlValue[];
  /** The whole write is undone, and rejected with StepRefusedError, when this statement changes no row. */
  readonly mustChange?: boolean;
}

/** What the steps of a write did, by their position. */
export interface WriteResult {
  /** Rows changed; for a statement with RETURNING the rows returned. */
  readonly changes: readonly number[];
  /** Rows returned; empty for a statement without RETURNING. */
  readonly rows: readonly (readonly Row[])[];
}

/** How much an engine has done since it was opened; `writes / groups` is the operations per fsync. */
export interface EngineStats {
  readonly writes: number;
  readonly groups: number;
}

/**
 * A durable database in one file. Writes of many callers share one transaction and one fsync; each is atomic by itself,
 * and one that fails takes no other with it. Reads are synchronous and see every write that has been acknowledged.
 */
export interface Engine<S extends string = string> {
  readonly stats: EngineStats;
  /**
   * All steps or none, in the order of the calls. Resolves when they are on disk. What it is given is copied before it
   * returns.
   * @throws StepRefusedError when a step with `mustChange` changed nothing
   * @throws StorageError when the database cannot take it, among them `overloaded` when too much waits
   */
  write(steps: readonly Step<S>[]): Promise<WriteResult>;
  /** The first row, or undefined. @throws StorageError */
  read(statement: S, params: readonly SqlValue[]): Row | undefined;
  /** All rows: ask for a bounded number, the event loop stands still meanwhile. @throws StorageError */
  readAll(statement: S, params: readonly SqlValue[]): readonly Row[];
  /** Waits for what was written; safe to call twice. Later calls throw StorageError `closed`. */
  close(): Promise<void>;
}

/** Steps that bring a database up to date. How far it has come is a row of a table, as in Dapr's SQL components. */
export interface Schema {
  /** Table with the text columns `key` and `value`; made when it is missing. Has to be a valid identifier. */
  readonly metadataTable: string;
  /** The row's key, for example `migrations`. */
  readonly key: string;
  /** SQL scripts; the row holds how many of them have been done. */
  readonly migrations: readonly string[];
}

/** How a file is opened. Plain data: it crosses to the writer's thread. */
export interface DatabaseOptions {
  /** A path, a `file:` URI as SQLite reads it, or `:memory:`. */
  readonly file: string;
  /** `wal` unless the file lies on a network file system (`delete`) or in memory (`memory`). */
  readonly journal: "wal" | "delete" | "memory";
  /** How long to wait for another process that writes. */
  readonly busyTimeoutMs: number;
  /** Further pragmas, such as `cache_size = -8000`; `synchronous` stays what durability needs. */
  readonly pragmas: readonly string[];
  readonly schema: Schema;
}

/** How long a write may wait. It is looked at once a second, so that a write costs no timer of its own. */
export interface WriteDeadline {
  readonly clock: Clock;
  readonly ms: number;
}

/** What an engine is opened with: the database, and every statement that will be used, by name. */
export interface EngineOptions<S extends string = string> extends DatabaseOptions {
  /** At most 256. Those that are only read are prepared for the reader, the others for the writer, on first use. */
  readonly statements: Readonly<Record<S, string>>;
  /** A write that waits longer for the disk fails; without, it waits for as long as it takes. */
  readonly deadline?: WriteDeadline;
}

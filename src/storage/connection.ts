import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { DatabaseOptions, SqlValue } from "./engine.ts";
import { StorageError } from "./errors.ts";
import { CHECKPOINT_PAGES, LOG_BYTES_KEPT } from "./limits.ts";

/** SQLite's result code for a file that another connection has locked, in the last byte of the extended ones. */
const SQLITE_BUSY = 5;
/** Between two attempts to set the journal of a file that others hold, in milliseconds. */
const JOURNAL_POLL_MS = 10;
const IDENTIFIER = /^[A-Za-z0-9_]+$/;

/** What node:sqlite throws, by the fields that it has beside the message. */
interface SqliteFailure {
  readonly code?: unknown;
  readonly errcode?: unknown;
  readonly message: string;
}

/** Whatever a call of node:sqlite threw, as the room's own error. */
export function storageErrorOf(error: unknown): StorageError {
  if (error instanceof StorageError) {
    return error;
  }
  const { errcode, message } = error as SqliteFailure;
  return new StorageError("sqlite", message, { code: typeof errcode === "number" ? errcode : 0, cause: error });
}

/** Prepared statements of one connection, made on first use and addressed by position. */
export class Connection {
  readonly database: DatabaseSync;
  readonly #sources: readonly string[];
  readonly #statements: (StatementSync | undefined)[] = [];

  constructor(database: DatabaseSync, sources: readonly string[]) {
    this.database = database;
    this.#sources = sources;
  }

  statement(index: number): StatementSync {
    let statement = this.#statements[index];
    if (statement === undefined) {
      const source = this.#sources[index];
      if (source === undefined) {
        throw new RangeError(`the engine has no statement ${index}`);
      }
      statement = this.database.prepare(source);
      this.#statements[index] = statement;
    }
    return statement;
  }

  close(): void {
    if (this.database.isOpen) {
      this.database.close();
    }
  }
}

/**
 * Opens the connection that writes, makes the file where there is none, and brings the schema up to date. FULL means one
 * fsync of the write-ahead log at every commit: what has been committed survives a loss of power, whatever `pragmas` say.
 * @throws StorageError
 */
export function openWriter(options: DatabaseOptions, statements: readonly string[]): Connection {
  return opening(options, (database) => {
    setJournal(database, options);
    if (options.journal === "wal") {
      database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = ${LOG_BYTES_KEPT}`);
    }
    setPragmas(database, options);
    database.exec("PRAGMA synchronous = FULL");
    migrate(database, options);
    return new Connection(database, statements);
  });
}

/**
 * Opens a connection beside the writer's that only reads. A pragma sees to that: a URI with a mode of its own could not
 * be opened with the flag.
 * @throws StorageError
 */
export function openReader(options: DatabaseOptions, statements: readonly string[]): Connection {
  return opening(options, (database) => {
    setPragmas(database, options);
    database.exec("PRAGMA query_only = 1");
    return new Connection(database, statements);
  });
}

/** Here SQLite does not wait for others by itself: of two that make a new file together it sends one away. */
function setJournal(database: DatabaseSync, { journal, busyTimeoutMs }: DatabaseOptions): void {
  for (let waitedMs = 0; ; waitedMs += JOURNAL_POLL_MS) {
    try {
      database.exec(`PRAGMA journal_mode = ${journal}`);
      return;
    } catch (error) {
      if ((storageErrorOf(error).code & 0xff) !== SQLITE_BUSY || waitedMs >= busyTimeoutMs) {
        throw error;
      }
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, JOURNAL_POLL_MS);
  }
}

function setPragmas(database: DatabaseSync, { pragmas }: DatabaseOptions): void {
  for (const pragma of pragmas) {
    database.exec(`PRAGMA ${pragma}`);
  }
}

function opening(options: DatabaseOptions, prepare: (database: DatabaseSync) => Connection): Connection {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(options.file, { timeout: options.busyTimeoutMs, returnArrays: true });
    return prepare(database);
  } catch (error) {
    database?.close();
    throw storageErrorOf(error);
  }
}

/** An exclusive transaction, so that several processes may open one new file at once. */
function migrate(database: DatabaseSync, { schema }: DatabaseOptions): void {
  const { metadataTable, key, migrations } = schema;
  if (!IDENTIFIER.test(metadataTable)) {
    throw new StorageError("sqlite", `invalid identifier: ${metadataTable}`);
  }
  database.exec("BEGIN EXCLUSIVE");
  try {
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${metadataTable} (\n\t\t\tkey text NOT NULL PRIMARY KEY,\n\t\t\tvalue text NOT NULL\n\t\t)`,
    );
    const row = database.prepare(`SELECT value FROM ${metadataTable} WHERE key = ?`).get(key) as unknown;
    const level = levelOf((row as readonly SqlValue[] | undefined)?.[0]);
    for (const [index, script] of migrations.entries()) {
      if (index >= level) {
        database.exec(script);
        database.prepare(`REPLACE INTO ${metadataTable} (key, value) VALUES (?, ?)`).run(key, String(index + 1));
      }
    }
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) {
      database.exec("ROLLBACK");
    }
    throw error;
  }
}

function levelOf(value: SqlValue | undefined): number {
  if (value === undefined) {
    return 0;
  }
  if (typeof value !== "string" || !/^[0-9]{1,9}$/.test(value)) {
    throw new StorageError("sqlite", `invalid migration level found in metadata table: ${String(value)}`);
  }
  return Number(value);
}

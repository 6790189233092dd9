import { join } from "node:path";
import type { Clock } from "../../../kit/clock.ts";
import type { EngineOptions } from "../../../storage/engine.ts";

/** In the scheduler's data folder. */
export const DATABASE_FILE = "scheduler.db";

const BUSY_TIMEOUT_MS = 5_000;

/** A write that takes longer than this counts as failed; health is red by then. */
const WRITE_DEADLINE_MS = 30_000;

/** Kilobytes of pages that each of the two connections keeps. */
const CACHE_KIB = 16 * 1024;

const COLUMNS = "key, value, created, modified, version, lease";
const KEY_COLUMNS = "key, NULL, created, modified, version, lease";

/** Every statement of the store. */
const STATEMENTS = {
  readRevision: "SELECT number FROM revision",
  readBytes: "SELECT coalesce(sum(length(key) + length(value)), 0) FROM keys",
  get: `SELECT ${COLUMNS} FROM keys WHERE key = ?1`,
  state: "SELECT created, modified, version, length(key) + length(value) FROM keys WHERE key = ?1",
  list: `SELECT ${COLUMNS} FROM keys WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3`,
  listFrom: `SELECT ${COLUMNS} FROM keys WHERE key >= ?1 ORDER BY key LIMIT ?2`,
  listKeys: `SELECT ${KEY_COLUMNS} FROM keys WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3`,
  listKeysFrom: `SELECT ${KEY_COLUMNS} FROM keys WHERE key >= ?1 ORDER BY key LIMIT ?2`,
  names: "SELECT key FROM keys WHERE key >= ?1 AND key < ?2",
  namesFrom: "SELECT key FROM keys WHERE key >= ?1",
  count: "SELECT count(*) FROM keys WHERE key >= ?1 AND key < ?2",
  countFrom: "SELECT count(*) FROM keys WHERE key >= ?1",
  expect: "UPDATE revision SET number = number WHERE (SELECT modified FROM keys WHERE key = ?1) IS ?2",
  advance: "UPDATE revision SET number = ?1 WHERE number < ?1",
  put: `INSERT INTO keys (${COLUMNS}) VALUES (?1, ?2, ?3, ?3, 1, ?4)
    ON CONFLICT (key) DO UPDATE SET value = ?2, modified = ?3, version = version + 1, lease = ?4`,
  delete: "DELETE FROM keys WHERE key = ?1",
  dropLeased: "DELETE FROM keys WHERE lease <> 0",
} as const;

export type KeyStatement = keyof typeof STATEMENTS;

const SCHEMA = {
  metadataTable: "scheduler_metadata",
  key: "migrations",
  migrations: [
    `CREATE TABLE revision (number INTEGER NOT NULL);
     INSERT INTO revision VALUES (1);
     CREATE TABLE keys (
       key BLOB NOT NULL PRIMARY KEY,
       value BLOB NOT NULL,
       created INTEGER NOT NULL,
       modified INTEGER NOT NULL,
       version INTEGER NOT NULL,
       lease INTEGER NOT NULL
     );`,
  ],
} as const;

/** How the store's file in a folder is opened. */
export function keyStoreOptions(folder: string, clock: Clock): EngineOptions<KeyStatement> {
  return {
    file: join(folder, DATABASE_FILE),
    journal: "wal",
    busyTimeoutMs: BUSY_TIMEOUT_MS,
    pragmas: [`cache_size = -${CACHE_KIB}`],
    schema: SCHEMA,
    statements: STATEMENTS,
    deadline: { clock, ms: WRITE_DEADLINE_MS },
  };
}

/** The same in memory, for tests. */
export function memoryStoreOptions(): EngineOptions<KeyStatement> {
  return { file: ":memory:", journal: "memory", busyTimeoutMs: 0, pragmas: [], schema: SCHEMA, statements: STATEMENTS };
}

import type { Schema } from "../../storage/engine.ts";

/** Names of the tables, valid identifiers. */
export interface StateTables {
  readonly state: string;
  readonly metadata: string;
}

/** Dapr's tables, to the letter: sidecars of both kinds may share the file. */
export function stateSchema({ state, metadata }: StateTables): Schema {
  return {
    metadataTable: metadata,
    key: "migrations",
    migrations: [
      `CREATE TABLE IF NOT EXISTS ${state} (
							key TEXT NOT NULL PRIMARY KEY,
							value TEXT NOT NULL,
							is_binary BOOLEAN NOT NULL,
							etag TEXT NOT NULL,
							expiration_time TIMESTAMP DEFAULT NULL,
							update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
						)`,
    ],
  };
}

/** Every statement of the store. Times are texts that the sidecar's clock gives; values come and go as bytes. */
export function stateStatements({ state, metadata }: StateTables) {
  const insert = `INSERT INTO ${state} (key, value, is_binary, etag, update_time, expiration_time)
    VALUES (?, CAST(? AS TEXT), ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, is_binary = excluded.is_binary, etag = excluded.etag,
      update_time = excluded.update_time, expiration_time = excluded.expiration_time`;
  return {
    get: `SELECT CAST(value AS BLOB), is_binary, etag, expiration_time FROM ${state} WHERE key = ?`,
    put: insert,
    /** Changes no row when there is one that has not expired. */
    putFirst: `${insert} WHERE ${state}.expiration_time IS NOT NULL AND ${state}.expiration_time <= excluded.update_time`,
    putMatching: `UPDATE ${state} SET value = CAST(? AS TEXT), is_binary = ?, etag = ?, update_time = ?, expiration_time = ?
      WHERE key = ? AND etag = ? AND (expiration_time IS NULL OR expiration_time > ?)`,
    putFenced: `UPDATE ${state} SET value = CAST(? AS TEXT), etag = ?, update_time = ?
      WHERE key = ? AND CAST(value AS BLOB) = ? AND expiration_time IS NULL`,
    delete: `DELETE FROM ${state} WHERE key = ?`,
    deleteMatching: `DELETE FROM ${state} WHERE key = ? AND etag = ?`,
    /** The last row of the next slice of the table, so that a whole table is looked at piece by piece. */
    sliceEnd: `SELECT max(rowid) FROM (SELECT rowid FROM ${state} WHERE rowid > ? ORDER BY rowid LIMIT ?)`,
    keysLike: `SELECT key, rowid FROM ${state} WHERE rowid > ? AND rowid <= ? AND key LIKE ? ESCAPE '\\'
      AND (expiration_time IS NULL OR expiration_time > ?) ORDER BY rowid LIMIT ?`,
    /** The next keys of the primary key's order, expired ones too: so a step stays small wherever they lie. */
    keysAfter: `SELECT key, expiration_time FROM ${state} WHERE key > ? ORDER BY key LIMIT ?`,
    keysFrom: `SELECT key, expiration_time FROM ${state} WHERE key >= ? ORDER BY key LIMIT ?`,
    expire: `DELETE FROM ${state} WHERE rowid > ? AND rowid <= ? AND expiration_time IS NOT NULL AND expiration_time < ?`,
    /** Changes no row when another sidecar has cleaned up a moment ago. */
    claimCleanup: `INSERT INTO ${metadata} (key, value) VALUES ('last-cleanup', ?) ON CONFLICT (key) DO UPDATE
      SET value = excluded.value WHERE (unixepoch(excluded.value) - unixepoch(${metadata}.value)) * 1000 > ?`,
  } as const;
}

export type StateStatement = keyof ReturnType<typeof stateStatements>;

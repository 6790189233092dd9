import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { storageErrorOf } from "./connection.ts";
import { StorageError } from "./errors.ts";

const LOCK_FILE = "lock.db";

/** SQLite's result code for a lock that another connection holds. */
const SQLITE_BUSY = 5;

/** A folder that belongs to one process. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Takes a folder for this process. The system gives it back when the process ends, however it does; the lock is SQLite's on
 * a file of its own.
 * @param waitMs how long another process may take to let go of it; the thread waits
 * @throws StorageError naming the folder
 */
export function lockDirectory(folder: string, waitMs: number): DirectoryLock {
  const file = join(folder, LOCK_FILE);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: waitMs });
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database?.close();
    const error = storageErrorOf(cause);
    if ((error.code & 0xff) !== SQLITE_BUSY) {
      throw error;
    }
    throw new StorageError("sqlite", `another process uses the folder ${folder}; it holds ${file}`, { cause });
  }
  const held = database;
  return { release: () => held.close() };
}

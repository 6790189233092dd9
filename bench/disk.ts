import { closeSync, fsyncSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const SYNCS = 200;
const BLOCK_BYTES = 4_096;

/** What the disk under `folder` takes to make a rewritten block durable, the median in milliseconds. */
export function syncMs(folder: string): number {
  const path = join(folder, "fsync-probe");
  const file = openSync(path, "w");
  const block = Buffer.alloc(BLOCK_BYTES, 1);
  const times: number[] = [];
  for (let round = 0; round < SYNCS; round += 1) {
    const startMs = performance.now();
    writeSync(file, block, 0, BLOCK_BYTES, (round % 64) * BLOCK_BYTES);
    fsyncSync(file);
    times.push(performance.now() - startMs);
  }
  closeSync(file);
  rmSync(path);
  return times.toSorted((a, b) => a - b)[SYNCS / 2] ?? Number.NaN;
}

/** Where the header of a write-ahead log's index counts transactions (https://sqlite.org/walformat.html, section 2.1). */
const CHANGES_OFFSET = 8;

/**
 * Transactions committed to a SQLite database so far, by the index of its write-ahead log; whoever commits, one
 * transaction there is one fsync. NaN where there is no such index.
 */
export function commitsOf(database: string): number {
  let file: number;
  try {
    file = openSync(`${database}-shm`, "r");
  } catch {
    return Number.NaN;
  }
  const count = Buffer.alloc(4);
  readSync(file, count, 0, 4, CHANGES_OFFSET);
  closeSync(file);
  return count.readUInt32LE();
}

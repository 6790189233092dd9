import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Random } from "../kit/random.ts";
import type { Engine, EngineOptions } from "./engine.ts";
import { openLocalEngine } from "./local-engine.ts";

/** What a disk writes as one; a loss of power keeps each, loses each, or leaves it as garbage. */
const SECTOR_BYTES = 512;

/** The write-ahead log's header, which SQLite syncs by itself before it writes frames under it. */
const LOG_HEADER_BYTES = 32;

/** Odds of a sector that was on its way: kept, else lost, else garbage. */
const KEPT_ODDS = 0.6;
const LOST_ODDS = 0.95;

/** A database's two files. */
interface Image {
  readonly database: Uint8Array;
  readonly log: Uint8Array;
}

/** The embedded engine on a disk whose power may fail. */
export interface SimulatedEngine<S extends string> {
  readonly engine: Engine<S>;
  /**
   * Writes to `file` what a disk might hold had the power failed while the last group was being written: all that was
   * synced before it, and of what was on its way any part, torn or not at all. Every call is another failure.
   */
  crash(file: string): void;
}

/**
 * Opens an engine of the same-thread form (write-ahead log only) and follows what it has synced. What SQLite does in
 * one commit, in order, each step synced before the next (https://sqlite.org/wal.html): a new header when the log starts
 * over, the group's frames, and when a checkpoint is due the database's pages.
 */
export function openSimulatedEngine<S extends string>(options: EngineOptions<S>, random: Random): SimulatedEngine<S> {
  const { file } = options;
  let before: Image | undefined;
  const engine = openLocalEngine(options, { beforeGroup: () => (before = imageOf(file)) });
  return {
    engine,
    crash(target) {
      const after = imageOf(file);
      save(target, failed(before ?? after, after, random));
    },
  };
}

/**
 * Carries out a write to `file` during which the power fails, and writes to `target` what the disk might hold: all that was
 * synced before, and any part of the write.
 */
export function crashDuring(write: () => void, file: string, target: string, random: Random): void {
  const before = imageOf(file);
  write();
  save(target, failed(before, imageOf(file), random));
}

function save(target: string, { database, log }: Image): void {
  writeFileSync(target, database);
  writeFileSync(`${target}-wal`, log);
}

function imageOf(file: string): Image {
  const bytes = (path: string): Uint8Array => (existsSync(path) ? readFileSync(path) : new Uint8Array());
  return { database: bytes(file), log: bytes(`${file}-wal`) };
}

function failed(before: Image, after: Image, random: Random): Image {
  const restarted = !same(before.log.subarray(0, LOG_HEADER_BYTES), after.log.subarray(0, LOG_HEADER_BYTES));
  const checkpointed = !same(before.database, after.database);
  const steps = ["frames", ...(restarted ? ["header"] : []), ...(checkpointed ? ["database"] : [])];
  const step = steps[Math.floor(random.next() * steps.length)];
  if (step === "database") {
    return { database: torn(before.database, after.database, random), log: after.log };
  }
  if (step === "header") {
    const header = torn(before.log.subarray(0, LOG_HEADER_BYTES), after.log.subarray(0, LOG_HEADER_BYTES), random);
    return { database: before.database, log: joined(header, before.log.subarray(LOG_HEADER_BYTES)) };
  }
  const frames = torn(before.log.subarray(LOG_HEADER_BYTES), after.log.subarray(LOG_HEADER_BYTES), random);
  return { database: before.database, log: joined(after.log.subarray(0, LOG_HEADER_BYTES), frames) };
}

/** `before` with some of the sectors in which `after` differs; what lay beyond its end may be missing at the end. */
function torn(before: Uint8Array, after: Uint8Array, random: Random): Uint8Array {
  const grown = Math.max(0, after.length - before.length);
  const length = after.length - Math.floor(random.next() * (grown + 1));
  const result = new Uint8Array(length);
  result.set(before.subarray(0, length));
  for (let at = 0; at < length; at += SECTOR_BYTES) {
    const end = Math.min(at + SECTOR_BYTES, length);
    if (same(result.subarray(at, end), after.subarray(at, end))) {
      continue;
    }
    const odds = random.next();
    if (odds < KEPT_ODDS) {
      result.set(after.subarray(at, end), at);
    } else if (odds >= LOST_ODDS) {
      spoil(result, before, after, [at, end], random);
    }
  }
  return result;
}

/**
 * Garbage where something was being written, and nowhere else: SQLite counts on disks not to harm the bytes beside a
 * write (https://sqlite.org/psow.html), as it is built by default.
 */
function spoil(
  result: Uint8Array,
  before: Uint8Array,
  after: Uint8Array,
  [start, end]: readonly [number, number],
  random: Random,
): void {
  const garbage = random.bytes(end - start);
  for (let at = start; at < end; at += 1) {
    if (at >= before.length || before[at] !== after[at]) {
      result[at] = garbage[at - start] ?? 0;
    }
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  return Buffer.concat([first, second]);
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

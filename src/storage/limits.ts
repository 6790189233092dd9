/** Writes that may wait for the disk; one more is refused. Sixteen seconds of a slow disk's work. */
export const WAITING_WRITES_MAX = 65_536;

/** Bytes of parameters that may wait for the disk. */
export const WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** Writes that share one transaction at most, which bounds how long the first of them waits for the last. */
export const GROUP_WRITES_MAX = 4_096;

/** Pages of the write-ahead log after which SQLite moves them into the database, in the writer's thread. */
export const CHECKPOINT_PAGES = 1_000;

/** Bytes that the write-ahead log keeps on disk after a checkpoint; a longer one is cut back. */
export const LOG_BYTES_KEPT = 64 * 1024 * 1024;

/** Statements of one engine: their position is one byte of a packet. */
export const STATEMENTS_MAX = 256;

/** Steps of one write, and parameters of one step. */
export const STEPS_MAX = 65_535;
export const PARAMS_MAX = 255;

/** How often the age of waiting writes is looked at. */
export const DEADLINE_PERIOD_MS = 1_000;

/** Commands that one connection holds at most, waiting for the server or for its replies. One more is refused at once. */
export const COMMANDS_MAX = 10_000;

/** Bytes of arguments that the same commands hold together; a single command may be larger. */
export const COMMAND_BYTES_MAX = 64 * 2 ** 20;

/** Milliseconds that a command waits for a connection before it fails. */
export const OFFLINE_WAIT_MS = 5_000;

/** Milliseconds between two looks at overdue commands, while there are any commands. */
export const WATCH_PERIOD_MS = 250;

/** Shortest and longest pause between two attempts to connect again, in milliseconds. */
export const RECONNECT_PAUSE_MS_MIN = 20;
export const RECONNECT_PAUSE_MS_MAX = 1_000;

/** Milliseconds after which a quiet connection of notifications is probed, so that a dead one is noticed. */
export const HEARTBEAT_PERIOD_MS = 5_000;

/** Milliseconds that one read of a stream waits at the server for messages. */
export const STREAM_BLOCK_MS = 5_000;

/** Milliseconds that closing a subscription waits for its read to come back before its connection is cut. */
export const STREAM_CLOSE_MS = 1_000;

/** Milliseconds before a read of a stream that failed is tried again. */
export const STREAM_PAUSE_MS = 250;

/** Keys that one listing looks at; a listing beyond it fails. */
export const LISTED_KEYS_MAX = 1_000_000;

/** Keys that one SCAN examines, and that one pipelined read asks for. */
export const KEYS_PER_PAGE = 1_000;

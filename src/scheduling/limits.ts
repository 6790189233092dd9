/** Milliseconds that one call of a scheduler may take, waiting for one to be there included. */
export const CALL_TIMEOUT_MS = 30_000;

/** Calls that wait for a scheduler to be found; one more fails. */
export const WAITING_CALLS_MAX = 1_000;

/** Milliseconds before a call that met no scheduler, or one that was going away, tries the next; more or less by half. */
export const CALL_RETRY_DELAY_MS = 250;

/** Milliseconds before a lost stream is opened again; doubled with each failure in a row up to the most, more or less by half. */
export const RECONNECT_DELAY_MS = 500;
export const RECONNECT_DELAY_MS_MAX = 4_000;

/** A stream that has lived so many milliseconds was a good one: the next delay is the shortest again. */
export const STEADY_STREAM_MS = 5_000;

/** Triggers of one stream that are with the app or its actors; further ones stay at the scheduler. */
export const TRIGGERS_PER_STREAM_MAX = 1_000;

/** Milliseconds before a scheduler of this process that could not be opened for the sake of its triggers is tried again. */
export const OPEN_RETRY_MS = 5_000;

/** Schedulers that are connected to; further ones of a cluster are left out. */
export const SCHEDULERS_MAX = 64;

/** Milliseconds that triggers under way may take when their stream is given up; then they are cancelled. */
export const DRAIN_TIMEOUT_MS = 30_000;

/** Milliseconds for the scheduler to end a stream that has nothing more to say; then it is cut. */
export const STREAM_END_TIMEOUT_MS = 1_000;

/** Bytes of one stored job, payload and all. */
export const JOB_BYTES_MAX = 32 * 1024 * 1024;

/** Bytes of one received gRPC message: a job at its limit with room for its frame. */
export const REQUEST_BYTES_MAX = 2 * JOB_BYTES_MAX;

/** Bytes of a job's name with its namespace, app or actor, as Dapr limits it. */
export const JOB_NAME_BYTES_MAX = 512;

/** Jobs that one scheduler keeps; each costs some hundred bytes of memory. */
export const JOBS_MAX = 5_000_000;

/** Bytes of jobs that one listing may hold. */
export const LIST_BYTES_MAX = 512 * 1024 * 1024;

/** Jobs read from the store at a time, when it is listed or loaded. */
export const PAGE_KEYS = 1_000;

/** Sidecar streams of one scheduler. */
export const STREAMS_MAX = 20_000;

/** Actor types of one stream. */
export const ACTOR_TYPES_MAX = 10_000;

/** Triggers sent to one stream or waiting for it, without a result yet; further ones wait for room. */
export const UNANSWERED_PER_STREAM_MAX = 65_536;

/** Part of that limit below which a stream that was full takes triggers again. */
export const ROOM_AGAIN = 0.75;

/** Triggers that wait for one concurrency limit. */
export const GATED_MAX = 1_000_000;

/** Triggers handed out before the event loop gets a turn, and when the store is behind with results. */
export const TRIGGERS_PER_TURN = 64;
export const TRIGGERS_PER_TURN_BEHIND = 4;

/** Results on their way to the store beyond which it is behind. */
export const STORING_MANY = 128;

/**
 * Triggers without a stored result beyond which the next turn waits so many milliseconds: a crash repeats them all. Fast
 * apps hardly see it, and slow ones are still handed some six thousand a second.
 */
export const UNSETTLED_MANY = 128;
export const PACE_MS = 10;

/** The longest that the scheduler sleeps, in milliseconds: how late it may notice that the wall clock was set. */
export const SLEEP_MS_MAX = 1_000;

/** Between two attempts to write what became of triggers, in milliseconds. */
export const STORE_RETRY_MS = 1_000;

/** A due trigger that has waited this long without being handed out, or without its result being stored, makes health red. */
export const LATE_MS = 10_000;

/** How long calls under way get when the scheduler stops, in milliseconds; as in Dapr. */
export const STOP_GRACE_MS = 5_000;

/** Parsed schedules that are kept for jobs with the same text. */
export const SCHEDULES_KEPT_MAX = 1_024;

/** Seconds that the leadership key outlives its owner, and between two renewals. */
export const LEADERSHIP_TTL_S = 20;
export const LEADERSHIP_CHECK_MS = 1_000;

/** Leases of etcd clients. */
export const LEASES_MAX = 10_000;

/** Watches of one etcd watch stream, and events that wait in it for their reader. */
export const WATCHES_PER_STREAM_MAX = 1_000;
export const WATCH_EVENTS_MAX = 100_000;

/** Keys that one etcd range without a limit answers, and bytes of its answer. */
export const RANGE_BYTES_MAX = 512 * 1024 * 1024;

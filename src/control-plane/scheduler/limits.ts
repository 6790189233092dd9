/** Bytes of one stored job, payload and all. */
export const JOB_BYTES_MAX = 32 * 1024 * 1024;

/** Bytes of one received gRPC message: a job at its limit with room for its frame. */
export const REQUEST_BYTES_MAX = 2 * JOB_BYTES_MAX;

/** Bytes of a job's name with its namespace, app or actor, as Dapr limits it. */
export const JOB_NAME_BYTES_MAX = 512;

/** Jobs that one scheduler keeps; each costs some hundred bytes of memory. */
export const JOBS_MAX = 5_000_000;

/** Reminders of one actor, where `--actor-reminders-max` does not say otherwise. */
export const ACTOR_REMINDERS_MAX = 10_000;

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
export const TRIGGERS_PER_TURN = 32;
export const TRIGGERS_PER_TURN_BEHIND = 4;

/** Results on their way to the store beyond which it is behind. */
export const STORING_MANY = 128;

/**
 * Triggers without a stored result beyond which the next turn waits so many milliseconds: a crash repeats them all. Fast
 * apps hardly see it, and slow ones are still handed some six thousand a second.
 */
export const UNSETTLED_MANY = 64;
export const PACE_MS = 5;

/** The same in a jam, where further ones would only wait: enough to notice that it is over. */
export const TRIGGERS_PER_TURN_JAMMED = 1;

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

/** Seconds that the leadership key outlives its owner, and milliseconds between two renewals. */
export const LEADERSHIP_TTL_S = 20;
export const LEADERSHIP_CHECK_MS = 1_000;

/**
 * In a cluster: between two renewals; and how long before the key's end a member stops to trigger, so that nobody else has
 * its jobs yet however its clock runs. Milliseconds.
 */
export const LEASE_RENEW_MS = 5_000;
export const LEASE_MARGIN_MS = 3_000;

/** How long a member that was killed and is back waits for the others to divide its jobs, before it asks for its part, in milliseconds. */
export const REJOIN_MS_MAX = 10_000;
/** Of that, how long they may trigger them before it comes. */
export const REJOIN_SETTLED_MS = 1_000;

/** Before a member tries again what the store has refused, in milliseconds. */
export const MEMBERSHIP_RETRY_MS = 500;

/** Leases of etcd clients. */
export const LEASES_MAX = 10_000;

/** Watches of one etcd watch stream, and events that wait in it for their reader. */
export const WATCHES_PER_STREAM_MAX = 1_000;
export const WATCH_EVENTS_MAX = 100_000;

/** Keys that one etcd range without a limit answers, and bytes of its answer. */
export const RANGE_BYTES_MAX = 512 * 1024 * 1024;

/**
 * When the jobs are divided anew, how long triggers under way may take to be answered and stored before they become another
 * member's; those that take longer may be repeated there. And how often that is looked at.
 */
export const HANDOVER_MS = 2_000;
export const HANDOVER_POLL_MS = 20;

/** One call to an etcd, in milliseconds: a change of leaders takes some of its seconds. */
export const ETCD_CALL_MS_MAX = 10_000;

/** How long a call that did no harm is repeated, and the pauses between, in milliseconds. */
export const ETCD_REPEAT_MS = 10_000;
export const ETCD_REPEAT_DELAY_MS = 50;
export const ETCD_REPEAT_DELAY_MS_MAX = 1_000;

/** The longest pause before a broken watch is opened again, in milliseconds. */
export const ETCD_WATCH_DELAY_MS_MAX = 2_000;

/** Bytes of one answer of an etcd: many jobs in one page or one watch response. */
export const ETCD_ANSWER_BYTES_MAX = 512 * 1024 * 1024;

/** Silence after which an etcd is asked for a sign of life, and how long that may take. etcd refuses less than five seconds. */
export const ETCD_KEEPALIVE = { keepaliveMs: 6_000, keepaliveTimeoutMs: 4_000 } as const;

/** One call about a lease, in milliseconds: several fit into its life. */
export const LEASE_CALL_MS_MAX = 4_000;

/** How long an earlier scheduler may take to let go of the folder, in milliseconds. */
export const LOCK_WAIT_MS = 5_000;

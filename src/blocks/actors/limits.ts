/** Calls that wait for their turn at one actor. */
export const MAILBOX_LENGTH_MAX = 10_000;

/** Calls of one sidecar that wait until it is known who owns their actor. */
export const WAITING_CALLS_MAX = 10_000;

/** Activated actors of one sidecar. */
export const ACTIVE_ACTORS_MAX = 1_000_000;

/** Timers of one sidecar, and of one actor. */
export const TIMERS_MAX = 100_000;
export const TIMERS_PER_ACTOR_MAX = 10_000;

/** Bytes of data of all timers of one sidecar. */
export const TIMER_DATA_BYTES_MAX = 256 * 1024 * 1024;

/** Characters of an actor's type, of its id, of the name of a timer or reminder. */
export const NAME_CHARS_MAX = 1_024;

/** State transactions of one actor that wait for the one before. */
export const WAITING_COMMITS_MAX = 1_000;

/** Milliseconds for the calls under way of actors that move, where the app does not say. */
export const DRAIN_MS_DEFAULT = 2_000;

/** What of the dissemination timeout a drain may take at most. */
export const DRAIN_SHARE_MAX = 0.8;

/** Milliseconds without a call until an actor is deactivated, where the app does not say. */
export const IDLE_MS_DEFAULT = 60 * 60_000;

/** How often one chain of calls may be within one actor, where the app does not say. */
export const STACK_DEPTH_DEFAULT = 32;

/** Milliseconds that others wait for the app's answer to a deactivation: those who want the actor elsewhere. */
export const DEACTIVATION_WAIT_MS = 5_000;

/** Milliseconds between attempts to tell the app that an actor is deactivated, when it could not be reached. */
export const DEACTIVATION_REPEATS_MS: readonly number[] = [50, 500, 2_000];

/** The same when the sidecar stops, which has a limit of its own. */
export const LAST_DEACTIVATION_WAIT_MS = 2_000;

/** Milliseconds that the app may take to answer a call that was cut off; then its request is aborted. */
export const CUT_OFF_ANSWER_MS = 500;

/** Milliseconds between that and the actor's deactivation: the app notices, and ends what it did. */
export const CUT_OFF_NOTICE_MS = 250;

/** Milliseconds that the app may take to answer a call whose caller is gone, while the actor's next turn waits. */
export const HANG_UP_ANSWER_MS = 5_000;

/**
 * Milliseconds after that in which the app may still be at it, so that the actor is not activated in it again; and within
 * which it has to answer a deactivation for the same reason.
 */
export const CUT_OFF_REST_MS = 30_000;

/** Actors of an app older than this process that are remembered to have been deactivated by it. */
export const TOLD_ACTORS_MAX = 50_000;

/** Actors whose deactivation could not be told, of any other app; with more of them it counts as older. */
export const UNTOLD_ACTORS_MAX = 10_000;

/** Milliseconds that an activation waits for the store to say whether the actor was ever written; otherwise it may have been. */
export const FENCE_WAIT_MS = 1_000;

/** Milliseconds after which an actor that was found busy is looked at again, where its idle time is shorter. */
export const BUSY_CHECK_MS = 100;

/** Milliseconds between two attempts to reach a placement service, give or take half. */
export const PLACEMENT_RETRY_MS = 500;

/** Milliseconds that a stream to a placement service lives, so that the next one is opened without such a pause. */
export const STREAM_MS_MIN = 1_000;

/** `setTimeout` cannot wait longer. */
export const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;

/** Milliseconds between two looks at whether ownership still holds. */
export const LEASE_CHECK_MS = 200;

/**
 * Milliseconds for which the event loop may stand still while a placement service of Dapr's keeps this sidecar in its
 * tables: it gives a connection up after 3 s at the earliest (`--keepalive-timeout`).
 */
export const STALL_MS = 2_000;

/** Milliseconds for which a call waits at most until it is known who owns its actor. */
export const OWNER_WAIT_MS_MAX = 60_000;

/** Tables since the last agreement that are compared actor by actor; beyond it, all actors of the types that changed wait. */
export const PENDING_RINGS_MAX = 8;

/** Milliseconds before the first repeats of a call that its actor's host did not begin; Dapr's, a second apart, follow. */
export const QUICK_REPEATS_MS = [10, 50, 250] as const;

/** Milliseconds between two requests for a lease; a third of what our placement service grants. */
export const LEASE_ASK_MS = 1_000;

/** Milliseconds in which the answers of a sidecar that has left the tables may still come: it may have left in peace. */
export const LAST_ANSWERS_MS = 500;

/** Milliseconds that a sidecar which stops waits until the placement service knows that it holds no actors any more. */
export const LEAVE_WAIT_MS = 500;

/** Orders of the placement service that wait for the one before to be carried out; then no more are read. */
export const ORDERS_WAITING_MAX = 16;

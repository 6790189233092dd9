/** Calls that wait for their turn at one actor. */
export const MAILBOX_LENGTH_MAX = 10_000;

/** Calls of one sidecar that wait until it is known who owns their actor. */
export const WAITING_CALLS_MAX = 10_000;

/** Activated actors of one sidecar. */
export const ACTIVE_ACTORS_MAX = 1_000_000;

/** Timers of one sidecar. */
export const TIMERS_MAX = 100_000;

/** Milliseconds for the calls under way of actors that move, where the app does not say. */
export const DRAIN_MS_DEFAULT = 2_000;

/** What of the dissemination timeout a drain may take at most. */
export const DRAIN_SHARE_MAX = 0.8;

/** Milliseconds without a call until an actor is deactivated, where the app does not say. */
export const IDLE_MS_DEFAULT = 60 * 60_000;

/** How often one chain of calls may be within one actor, where the app does not say. */
export const STACK_DEPTH_DEFAULT = 32;

/** Milliseconds that the app's answer to a deactivation is waited for before the actor may be activated anew. */
export const DEACTIVATION_WAIT_MS = 5_000;

/** The same when the sidecar stops, which has a limit of its own. */
export const LAST_DEACTIVATION_WAIT_MS = 2_000;

/** Milliseconds after which an actor that was found busy is looked at again, where its idle time is shorter. */
export const BUSY_CHECK_MS = 100;

/** Milliseconds between two attempts to reach a placement service, give or take half. */
export const PLACEMENT_RETRY_MS = 500;

/** `setTimeout` cannot wait longer. */
export const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;

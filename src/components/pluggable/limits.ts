/** Sockets that are looked at in the folder; a file more and none is used, since it cannot be the right folder. */
export const SOCKETS_MAX = 100;

/** Milliseconds for a socket to answer at the start of the sidecar; it may belong to a process that starts at the same time. */
export const DISCOVERY_MS_MAX = 5_000;

/** Milliseconds between two attempts to reach a socket that does not answer yet. */
export const DISCOVERY_RETRY_MS = 100;

/** Milliseconds for one call, so that a component that hangs cannot hold its callers for good. */
export const CALL_MS_MAX = 5 * 60_000;

/** Milliseconds for a component that has been away to be initialised again. */
export const REINIT_MS_MAX = 10_000;

/** Waits between attempts to reach a component that is gone, or to open a stream again, in milliseconds; each is twice the one before. */
export const RETRY_WAIT_MS = 100;
export const RETRY_WAIT_MS_MAX = 10_000;

/** How often a component in use is asked whether it still answers, and how long it may take, in milliseconds. */
export const PING_INTERVAL_MS = 30_000;
export const PING_MS_MAX = 10_000;

/** Milliseconds for a state store to tell how many operations a transaction may have, as in Dapr. */
export const LIMIT_MS_MAX = 5_000;

/** Milliseconds for a broker to pause its subscriptions, as in Dapr. */
export const PAUSE_MS_MAX = 5_000;

/** Events of one input binding, or messages of one bulk subscription, that are handled at once. Beyond it the stream is held. */
export const HANDLED_AT_ONCE_MAX = 1_000;

/** Milliseconds that a closing stream gives the component to take the last settlements and to end the stream itself. */
export const STREAM_END_MS_MAX = 400;

/** A stream that has stood this long without an answer of the component counts as taken, in milliseconds. */
export const STREAM_STANDS_MS = 1_000;

/** Bytes of a request's head unless a listener says otherwise; more is answered with 431. */
export const HEADER_BYTES_MAX = 64 * 1024;

/** Milliseconds until the first byte of a new connection and the whole head of a request must be there. */
export const HEADER_TIMEOUT_MS = 10_000;

/** How often, in milliseconds, `node:http` looks for requests over the header timeout. */
export const HEADER_CHECK_INTERVAL_MS = 1_000;

/** Milliseconds an idle keep-alive connection stays open. */
export const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** Connections of one listener at a time. */
export const CONNECTIONS_MAX = 65_536;

/** Connections that the system queues before they are accepted (the backlog of listen(2)). */
export const LISTEN_BACKLOG = 1_024;

/** Bytes of a body that wait for their reader before the connection is held. */
export const BODY_QUEUE_BYTES = 64 * 1024;

/** Milliseconds for which nothing may come of a body that was begun, while its reader waits for more. */
export const BODY_SILENCE_MS = 300_000;

/** Bytes of an unread request body that are read away to keep the connection; with more it is closed after the answer. */
export const DRAIN_BYTES_MAX = 256 * 1024;

/** Milliseconds for which a connection that is to be closed still reads, so that the peer gets the answer before a reset. */
export const LINGER_MS = 1_000;

/** A response whose declared length is at most this many bytes is handed over whole. */
export const INLINE_BODY_BYTES_MAX = 64 * 1024;

/** Connections of one HTTP client to its origin. */
export const CLIENT_CONNECTIONS_MAX = 256;

/** Milliseconds until a client's connection must stand. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** Milliseconds between looks at whether the exchanges of a closing listener have ended. */
export const CLOSE_POLL_MS = 20;

/** Milliseconds that a server may take to answer after our half of its connection was closed. */
export const HALF_CLOSED_MS_MAX = 60_000;

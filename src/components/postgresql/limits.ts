/** Requests that wait for a connection while all are in use. One more is refused at once. */
export const WAITING_MAX = 10_000;

/** Bytes of one answer's JSON and of one message from the server. */
export const RESULT_BYTES_MAX = 256 * 2 ** 20;

/** Statements that one connection keeps prepared, and descriptions it keeps, unless the connection string says otherwise. */
export const STATEMENTS_MAX = 512;

/** Connections of a pool unless metadata or the connection string say otherwise; more on machines with more processors. */
export const CONNECTIONS_MAX_MIN = 4;

/** Milliseconds that one attempt to connect may take where the connection string has no connect_timeout. */
export const CONNECT_MS_MAX = 120_000;

/** Milliseconds after which an idle connection is probed before it is used. */
export const PROBE_IDLE_MS = 1_000;

/** Milliseconds between two looks at idle and old connections. */
export const HEALTH_PERIOD_MS = 60_000;

/** Milliseconds that an idle connection is kept, and that any connection lives. */
export const IDLE_MS_MAX = 30 * 60_000;
export const LIFETIME_MS_MAX = 60 * 60_000;

/** Shortest and longest pause, in milliseconds, between two attempts to find a lost server again. */
export const RECONNECT_PAUSE_MS_MIN = 250;
export const RECONNECT_PAUSE_MS_MAX = 5_000;

/** Milliseconds that closing waits for statements under way before their connections are cut. */
export const CLOSE_MS_MAX = 5_000;

/** Milliseconds without traffic after which TCP asks whether the server is still there. */
export const KEEP_ALIVE_MS = 15_000;

/** Milliseconds that asking the server to end a statement may take. */
export const CANCEL_MS_MAX = 5_000;

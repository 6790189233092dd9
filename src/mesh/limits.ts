/** Bytes of one piece of a body between sidecars; a peer takes any size up to its message limit. */
const PIECE_BYTES = 64 * 1024;
/** What daprd sends, for fleets whose messages are limited to little more than our pieces. */
const SMALL_PIECE_BYTES = 2 * 1024;

/** Bytes of the pieces that bodies are sent in. @param messageBytesMax our own limit, which peers mostly share; 0: none */
export function pieceBytesOf(messageBytesMax: number): number {
  return messageBytesMax > 0 && messageBytesMax < 2 * PIECE_BYTES ? SMALL_PIECE_BYTES : PIECE_BYTES;
}

/** Calls on one connection before another is opened, as with daprd. */
export const CALLS_PER_CONNECTION = 100;

/** Connections to one peer; beyond them calls share the least busy one. */
export const CONNECTIONS_PER_PEER_MAX = 16;

/** Peers with open connections; a call to one more fails. */
export const PEERS_MAX = 10_000;

/** Milliseconds after its last call when a connection may be closed, and how often that is looked for. */
export const CONNECTION_IDLE_MS = 3 * 60_000;
export const SWEEP_INTERVAL_MS = 45_000;

/** How often, and how many milliseconds apart, a resolver that answers with an empty address is asked again. */
export const RESOLVE_RETRIES_MAX = 5;
export const RESOLVE_RETRY_DELAY_MS = 100;

/**
 * Milliseconds that the end of a response may lag behind its first piece for the body still to count as whole. A small
 * body then goes out in one write with its length; the first bytes of an app that pauses wait this long at most.
 */
export const BODY_END_GRACE_MS = 5;

/** URLs called without an HTTPEndpoint resource whose connections are kept; beyond them the least recently used are closed. */
export const URL_CLIENTS_MAX = 256;

/** Milliseconds for which the addresses of an app are kept where a resolver knows several. */
export const ADDRESSES_TTL_MS = 20_000;

/**
 * Milliseconds of silence after which a peer is asked for a sign of life while something is under way with it, and how long
 * it has for that: a machine that lost its power says nothing of its end. Dapr's values, and the least that gRPC servers allow.
 */
export const KEEPALIVE = { keepaliveMs: 10_000, keepaliveTimeoutMs: 5_000 } as const;

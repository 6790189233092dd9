/** Streams of sidecars that one service keeps, over all namespaces; each costs some kilobytes and a place in every round. */
export const STREAMS_MAX = 50_000;

/** Actor types that one sidecar may report. */
export const ENTITIES_PER_HOST_MAX = 10_000;

/** Bytes of one table that daprd takes (grpc-go's limit for a message); a larger one is told in the log. */
export const TABLE_BYTES_MAX = 4 * 1024 * 1024;

/** What the streams in flight may take to end when the service stops. */
export const CLOSE_GRACE_MS = 2_000;

/** Names of members that are not known yet (pods that come up at the same time) are looked up this often … */
export const RESOLVE_RETRY_MS = 500;

/** … and this many times, two minutes in all, as Dapr does. */
export const RESOLVE_ATTEMPTS_MAX = 240;

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

/** What a sidecar of ours is granted from when it asked: within it, it may act for its actors. */
export const LEASE_MS = 3_000;

/** By how much a lease lasts longer here: the clocks of two machines may differ by a tenth in their speed. */
export const LEASE_MARGIN_MS = 300;

/** How often leases are looked at. */
export const LEASE_SWEEP_MS = 200;

/** How long leases of an earlier leader may live when one begins to lead. */
export const SETTLE_MS = LEASE_MS + LEASE_MARGIN_MS;

/** Versions of a table behind the last one from which it is told as a difference; otherwise it is told whole. */
export const TABLE_HISTORY_MAX = 64;

/** What is tried to find out whether a sidecar whose stream has broken is still there. */
export const PROBE_TIMEOUT_MS = 1_000;

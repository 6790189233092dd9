/** Milliseconds that a lookup of an app nobody has seen yet may take, and when within them the question is repeated. */
export const BROWSE_MS = 1_000;
export const BROWSE_REPEATS_MS: readonly number[] = [150, 500];

/** Milliseconds that an address is trusted after it was last heard of. */
export const ADDRESS_TTL_MS = 60_000;

/** Milliseconds between two questions about each app that has been looked up. */
export const REFRESH_INTERVAL_MS = 30_000;

/** Milliseconds after which the first announcement is repeated (RFC 6762 section 8.3). */
export const ANNOUNCE_AGAIN_MS = 1_000;

/** Apps, and addresses of one app, that are remembered. */
export const APPS_MAX = 10_000;
export const ADDRESSES_PER_APP_MAX = 1_000;

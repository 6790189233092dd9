/** Bytes of keys (as UTF-16 units) and values that one `state.in-memory` holds unless its metadata `maxBytes` says otherwise. */
export const STORED_BYTES_MAX_DEFAULT = 2 ** 30;

/** Milliseconds between two looks for expired items. Expired items are never read; the look frees their memory. */
export const SWEEP_PERIOD_MS = 1_000;

/** Items one look examines at most, so that it takes well under a millisecond; the next goes on where it stopped. */
export const SWEEP_ITEMS_MAX = 5_000;

/** Keys that a listing looks at between two turns of the event loop. */
export const LIST_KEYS_PER_TURN = 5_000;

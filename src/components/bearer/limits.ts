/** Bytes of an OpenID configuration or a key set. */
export const DOCUMENT_BYTES_MAX = 1024 * 1024;

/** Keys of a set. */
export const KEYS_MAX = 1_000;

/** Milliseconds for fetching either of them. */
export const FETCH_TIMEOUT_MS = 30_000;

/** Requests that fetching may be redirected to. */
export const REDIRECTS_MAX = 10;

/** Milliseconds after which a key set is fetched again, unless its server allows it to be kept for longer. */
export const REFRESH_MS_MIN = 600_000;

/** Milliseconds that a set is kept at most, whatever its server says. */
export const REFRESH_MS_MAX = 86_400_000;

/** Milliseconds between fetches for the sake of tokens with a key that is not in the set. */
export const UNKNOWN_KEY_REFRESH_MS = 60_000;

/** Characters of a token. */
export const TOKEN_CHARACTERS_MAX = 64 * 1024;

/** Seconds that clocks may differ by. */
export const CLOCK_SKEW_S = 300;

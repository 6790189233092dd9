/** Bytes of a JWK set, whether it comes from a file or a URL. */
export const JWKS_BYTES_MAX = 1024 * 1024;

/** Requests that fetching a set may come to, as in Go's HTTP client. */
export const REDIRECTS_MAX = 10;

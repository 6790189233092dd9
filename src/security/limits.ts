/** Bytes of a file of trust anchors: hundreds of certificates. */
export const TRUST_ANCHORS_BYTES_MAX = 1024 * 1024;

/** Certificates among the trust anchors. */
export const TRUST_ANCHORS_MAX = 256;

/** Certificates in the chain of a workload, its own first. */
export const CHAIN_MAX = 16;

/** Bytes of a token that proves to the certificate authority who asks. */
export const TOKEN_BYTES_MAX = 64 * 1024;

/** Milliseconds between looks at a file of trust anchors: whether it is there yet, and whether it has changed. */
export const TRUST_ANCHORS_WAIT_MS = 1_000;
export const TRUST_ANCHORS_WATCH_MS = 500;

/** Milliseconds that one attempt at a certificate may take, and attempts when the authority is overloaded or gone, as Dapr has them. */
export const SIGN_TIMEOUT_MS = 3_000;
export const SIGN_ATTEMPTS_MAX = 5;
export const SIGN_RETRY_MS = 50;

/** Milliseconds until the next attempt to reach the certificate authority: the first wait, its growth, and the longest. */
export const REACH_RETRY_MS = 250;
export const REACH_RETRY_GROWTH = 1.6;
export const REACH_RETRY_MS_MAX = 5_000;

/** Milliseconds between two warnings that the certificate authority cannot be reached. */
export const REACH_WARNING_MS = 10_000;

/** Milliseconds after a renewal that failed, as in Dapr. */
export const RENEWAL_RETRY_MS = 10_000;

/**
 * Milliseconds between two renewals at least. Dapr has no such floor: certificates that live for less than a second, whose
 * times are cut to the second, are asked for in a loop.
 */
export const RENEWAL_MS_MIN = 200;

/** Milliseconds a timer sleeps at most, so that a machine that was suspended notices soon that its certificate is old. */
export const RENEWAL_LOOK_MS = 60_000;

/** Milliseconds a TLS handshake may take, at either end. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Milliseconds between two log lines about connections that were refused: who is refused may come back at once. */
export const REFUSAL_LINE_MS = 1_000;

/** Bytes of one SignCertificate message; a CSR, a token and some audiences need a few thousand. */
export const REQUEST_BYTES_MAX = 256 * 1024;

/** Bytes of a PEM-encoded certificate signing request. */
export const CSR_BYTES_MAX = 32 * 1024;

/** Bits of an RSA key that a certificate is made for: checking a signature takes longer with the square of them. */
export const RSA_KEY_BITS_MAX = 8_192;
export const RSA_KEY_BITS_MIN = 1_024;

/** Bytes of a workload's token. */
export const TOKEN_BYTES_MAX = 64 * 1024;

/** Characters of an app id, which is Dapr's limit, and of a namespace, which is Kubernetes' and DNS's with room. */
export const APP_ID_LENGTH_MAX = 64;
export const NAMESPACE_LENGTH_MAX = 253;

/** Audiences of one request, each of which costs a signature, and characters of one. */
export const AUDIENCES_MAX = 64;
export const AUDIENCE_LENGTH_MAX = 1_024;

/** Requests that are being signed at one time; more are refused and repeated by their callers. */
export const SIGNINGS_MAX = 1_024;

/** Bytes of one file of credentials, which may hold many trust anchors. */
export const CREDENTIAL_BYTES_MAX = 1024 * 1024;

/** Certificates in one of those files. */
export const CERTIFICATES_MAX = 256;

/** Bytes of a set of keys (JWKS), and keys in it. */
export const JWKS_BYTES_MAX = 1024 * 1024;
export const JWKS_KEYS_MAX = 256;

/** How often files are looked at for changes, and for how long further changes are waited for, as in Dapr. */
export const FILES_LOOK_MS = 1_000;
export const FILES_SETTLE_MS = 2_000;

/** What is tried at least until the own certificate is renewed again, whatever its lifetime. */
export const OWN_RENEWAL_MS_MIN = 500;

/** How often the wall clock is looked at for it: clocks are set, and machines are suspended. */
export const OWN_RENEWAL_LOOK_MS = 60_000;

/** After a renewal that failed. */
export const OWN_RENEWAL_RETRY_MS = 10_000;

/** What the requests in flight may take to end when the service stops. */
export const CLOSE_GRACE_MS = 2_000;

/** How long a TLS handshake may take. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** How often it is looked whether the files of the OIDC server's certificate are there by now. */
export const OIDC_FILES_WAIT_MS = 5_000;

/** Connections of the OIDC server, and bytes of a request's head. */
export const OIDC_CONNECTIONS_MAX = 1_024;
export const OIDC_HEADER_BYTES_MAX = 16 * 1024;

/** How long the cluster's DNS is asked for its domain. */
export const CLUSTER_DOMAIN_MS_MAX = 2_000;

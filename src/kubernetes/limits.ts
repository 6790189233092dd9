/** Milliseconds until the API server's answer must be there as a whole; that of a watch must have begun by then. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** Bytes of one object: etcd holds no more than 1.5 MiB of it. */
export const OBJECT_BYTES_MAX = 4 * 1024 * 1024;

/** Objects of one page of a list, and bytes of the page. */
export const PAGE_OBJECTS_MAX = 500;
export const PAGE_BYTES_MAX = 64 * 1024 * 1024;

/** Objects that one informer keeps. */
export const INFORMER_OBJECTS_MAX = 500_000;

/** Connections to the API server; each watch takes one. */
export const CONNECTIONS_MAX = 64;

/** For how long the API server is asked to hold a watch open, and after what time one is ended that it did not end. */
export const WATCH_TIMEOUT_S = 290;
export const WATCH_MS_MAX = 320_000;

/** The wait before a list or watch that failed, or ended at once, is tried again: the first, its growth, and the longest. */
export const RETRY_MS = 500;
export const RETRY_GROWTH = 2;
export const RETRY_MS_MAX = 30_000;

/** A watch that lasted this long has worked, however it ended. */
export const WATCH_WORKED_MS = 1_000;

/** Bytes of a kubeconfig, a certificate or a token in a file. */
export const CONFIG_BYTES_MAX = 1024 * 1024;

/** How long a token of the pod's service account is used before its file is read again; Kubernetes renews it hourly. */
export const TOKEN_AGE_MS_MAX = 60_000;

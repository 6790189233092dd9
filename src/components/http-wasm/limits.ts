/** Bytes of a guest's module. */
export const MODULE_BYTES_MAX = 64 * 1024 * 1024;

/** Milliseconds for fetching one, and requests that this may be redirected to. */
export const FETCH_TIMEOUT_MS = 30_000;
export const REDIRECTS_MAX = 10;

/** Pages of 64 KiB of a guest instance's memory. */
export const MEMORY_PAGES_MAX = 2048;

/** Milliseconds that a guest may take for a request, and again for its answer, without the time it waits for a body. */
export const GUEST_MS_MAX = 5_000;

/** Milliseconds that an instance may take to come up. */
export const START_MS_MAX = 30_000;

/** Requests that wait for an instance, and for how many milliseconds each of them does. */
export const WAITING_MAX = 1_024;
export const WAIT_MS_MAX = 10_000;

/** Bytes of a body that a guest writes. */
export const WRITTEN_BYTES_MAX = 64 * 1024 * 1024;

/** Bytes of stdout and stderr that are logged for one request, and characters of a line that a guest logs. */
export const OUTPUT_BYTES_MAX = 16 * 1024;
export const LOG_CHARACTERS_MAX = 16 * 1024;

/** Lines that a guest may log for one request. */
export const LOG_LINES_MAX = 256;

/** Bytes of a body that go from thread to thread at once. */
export const SHARED_BODY_BYTES = 64 * 1024;

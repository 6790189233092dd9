/** Finished spans that wait for one exporter; some megabytes. What comes while it is full is dropped and counted. */
export const QUEUED_SPANS_MAX = 16_384;
/** Characters of what those spans say, before it is cut: a caller's long headers must not fill the memory either. */
export const QUEUED_CHARACTERS_MAX = 32 * 1024 * 1024;
/** Spans of one request to a back end, as in OpenTelemetry's batch processor. */
export const BATCH_SPANS_MAX = 512;
/** Milliseconds after which a batch goes out that is not full, as there. */
export const BATCH_DELAY_MS = 5_000;
/** Milliseconds that one request may take where nobody says otherwise (OTLP exporter, "Timeout"). */
export const EXPORT_TIMEOUT_MS = 10_000;
/** Milliseconds before a request is repeated, doubled each time up to the most. */
export const RETRY_DELAY_MS = 5_000;
export const RETRY_DELAY_MS_MAX = 30_000;
/** Milliseconds after which a batch that nobody takes is given up, as Go's exporters do. */
export const RETRY_MS_MAX = 60_000;
/** Milliseconds that a stop waits for what is still queued. */
export const FLUSH_MS_MAX = 2_000;
/** Milliseconds between two lines about dropped spans. */
export const DROP_LOG_PERIOD_MS = 60_000;
/** Attributes and links of one span; more are not kept, as OpenTelemetry limits them. */
export const ATTRIBUTES_MAX = 128;
export const LINKS_MAX = 128;
/** Characters of one attribute's text or a name; longer ones are cut. */
export const TEXT_LENGTH_MAX = 4_096;

/** Bytes of one received message unless a server or client says otherwise (grpc-go's default). */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

/** Bytes of received messages that wait for their reader before the stream is held. */
export const RECEIVE_QUEUE_BYTES = 64 * 1024;

/** Bytes of sent messages that a stream keeps until the peer answers, to send them again after a refusal (as in grpc-go). */
export const REPLAY_BYTES_MAX = 256 * 1024;

/** What a queued message counts besides its bytes, so that empty ones are bounded too. */
export const MESSAGE_OVERHEAD_BYTES = 64;

/** Messages below this many bytes are copied behind their prefix; larger ones are sent as two pieces. */
export const COPY_BYTES_MAX = 16 * 1024;

/** First size in bytes of the buffer in which a message larger than a chunk is put together. */
export const REASSEMBLY_BYTES_MIN = 16 * 1024;

/** Request heads that a client keeps for their return, one for each method that is called without metadata or deadline. */
export const PLAIN_HEADS_MAX = 64;

/** Messages from and to so many bytes are compressed where that was agreed: below it gains nothing, above it takes too long. */
export const COMPRESS_BYTES_MIN = 512;
export const COMPRESS_BYTES_MAX = 64 * 1024;

/** Compressed messages up to this many bytes are inflated on the spot, larger ones on the thread pool. */
export const INFLATE_INLINE_BYTES_MAX = 1024;

/** Bytes of a call's requests that wait while it is not known yet where the call goes; then the caller is held. */
export const RELAY_WAITING_BYTES = 64 * 1024;

/** Bytes of a request that are kept for another attempt under a retry policy; a larger one is sent once. */
export const RELAY_REPEAT_BYTES_MAX = 64 * 1024 * 1024;

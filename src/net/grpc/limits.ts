/** Bytes of one received message unless a server or client says otherwise (grpc-go's default). */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

/** Bytes of received messages that wait for their reader before the stream is held. */
export const RECEIVE_QUEUE_BYTES = 64 * 1024;

/** What a queued message counts besides its bytes, so that empty ones are bounded too. */
export const MESSAGE_OVERHEAD_BYTES = 64;

/** Messages below this many bytes are copied behind their prefix; larger ones are sent as two pieces. */
export const COPY_BYTES_MAX = 16 * 1024;

/** First size in bytes of the buffer in which a message larger than a chunk is put together. */
export const REASSEMBLY_BYTES_MIN = 16 * 1024;

/** Compressed messages up to this many bytes are inflated on the spot, larger ones on the thread pool. */
export const INFLATE_INLINE_BYTES_MAX = 1024;

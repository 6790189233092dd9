import type { TransportOptions } from "./transport.ts";

/** Most bytes of one decoded header block; a peer that sends more has its stream refused (SETTINGS_MAX_HEADER_LIST_SIZE). */
export const HEADER_BYTES_MAX = 64 * 1024;

/** Most fields in one header block, so that thousands of one-byte references into the HPACK table stay cheap. */
export const HEADER_FIELDS_MAX = 512;

/** Most streams a peer may have open on one connection (SETTINGS_MAX_CONCURRENT_STREAMS). */
export const STREAMS_MAX = 1_000;

/** Bytes a peer may send on one stream before we have read any: also what a held stream can cost us. */
export const STREAM_WINDOW_BYTES = 256 * 1024;

/** The same for all streams of a connection together. */
export const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024;

/** Bytes of a stream's own output that may wait before `send` answers false. */
export const SEND_BUFFER_BYTES = 64 * 1024;

/** Memory in megabytes one connection may hold (queued output, header tables, streams) before new streams are refused. */
export const SESSION_MEMORY_MB = 256;

/** Streams a peer may reset in a burst before it is cut off (CVE-2023-44487, "rapid reset"). */
export const RESET_BURST = 1_000;

/** Resets that are forgiven each second. */
export const RESET_RATE_PER_S = 33;

/** Frames that break the protocol, and streams opened beyond the limit, before a peer is cut off. */
export const INVALID_FRAMES_MAX = 100;

/** SETTINGS entries in one frame, and PINGs of ours that may be unanswered. */
export const SETTINGS_ENTRIES_MAX = 32;

/** Milliseconds between PINGs on a connection with open streams; 0 sends none. */
export const KEEPALIVE_MS = 0;

/** Milliseconds a PING may stay unanswered before the connection is taken for lost. */
export const KEEPALIVE_TIMEOUT_MS = 20_000;

/** Milliseconds until a new connection must stand, both TCP and TLS. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** Milliseconds until an accepted connection must have sent its preface and SETTINGS. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Streams opened on one client connection before it is exchanged for a new one: ids run to 2^31 in steps of two. */
export const STREAMS_PER_CONNECTION_MAX = 2 ** 30 - 1_000;

/** Transport options with the defaults of this file filled in. */
export type ResolvedTransportOptions = Required<Omit<TransportOptions, "onCutOff">> &
  Pick<TransportOptions, "onCutOff">;

/** Bytes of streams that are held, beyond which the connection's window is not refilled either. */
export const HELD_BYTES_MAX = 16 * 1024 * 1024;

/** CONTINUATION frames of one header block: it may be cut into pieces, not into dust (CVE-2024-27316). */
export const CONTINUATIONS_MAX = 32;

/** A decoded header block this many times over a limit ends the connection, not only its stream. */
export const HEADER_EXCESS_MAX = 4;

/** Frames that do no work by themselves (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, unknown ones) in a burst. */
export const NOISE_BURST = 2_000;

/** Such frames that are forgiven each second; useful work forgives more. */
export const NOISE_RATE_PER_S = 200;

/** What such a frame costs more for each open stream that it has us look at: SETTINGS that change all windows. */
export const NOISE_PER_STREAM = 1 / 8;

/** What a frame costs on a stream that the peer itself has ended: it must know better. */
export const STRAY_FRAME_COST = 8;

/** What a stream that ends in a reset costs more for each byte of its head, which was decoded for nothing. */
export const RESET_PER_HEAD_BYTE = 1 / 1024;

/** Bytes a peer may leave unread before it is cut off. DATA is not among them: it waits in its streams. */
export const OUTPUT_BACKLOG_BYTES_MAX = 4 * 1024 * 1024;

/** Milliseconds a peer may give no room at all while we have something to send. */
export const STALL_TIMEOUT_MS = 300_000;

/** Milliseconds a frame or header block may stay unfinished. DATA may take any time: it is used as it comes. */
export const FRAME_TIMEOUT_MS = 30_000;

/** Bytes that may wait in the streams of a connection for a peer that hardly takes any: answers that were whole at once. */
export const SEND_QUEUE_BYTES_MAX = 16 * 1024 * 1024;

/** Bytes a second that make a reader of so much an honest one. */
export const SLOW_READER_BYTES_PER_S = 64 * 1024;

/** Milliseconds such a queue is kept for a slower reader. */
export const SLOW_READER_TIMEOUT_MS = 30_000;

/** Milliseconds between a server's PINGs on a quiet connection with open streams, so that peers who vanished are noticed. */
export const SERVER_KEEPALIVE_MS = 60_000;

/** Streams waiting until the peer's SETTINGS_MAX_CONCURRENT_STREAMS has room for them. */
export const WAITING_STREAMS_MAX = 10_000;

/**
 * Streams that we open before a server's SETTINGS have come: the first call should not wait for them, but a server with a
 * low limit may answer a burst with an error that is none (gRPC's C core: ENHANCE_YOUR_CALM).
 */
export const PEER_STREAMS_ASSUMED = 1;

/** Streams that a connection will probably take once its peer has said so: what gRPC servers allow (grpc-go's clients count so). */
export const PEER_STREAMS_EXPECTED = 100;

/** Milliseconds after which a connection that was opened because others were full is closed when it has no streams. */
export const SPARE_CONNECTION_IDLE_MS = 3 * 60_000;

/** Streams that we have reset lately: what still comes on them is no offence. */
export const RESET_MEMORY = 1_000;

/** Milliseconds for the last bytes of a connection that is cut off. */
export const FAREWELL_MS = 250;

/** Bytes that are still read from it meanwhile, and thrown away, so that the peer can read why. */
export const FAREWELL_BYTES_MAX = 256 * 1024;

/** What a head that is too large costs of the budget for resets: some are accidents, many are not. */
export const LARGE_HEAD_COST = 25;

/** Noise that we expect on a stream which we have reset: the peer's head and trailers, sent before it knew. */
export const LATE_FRAMES = 2;

/** What applies where an option is absent. */
const DEFAULTS: ResolvedTransportOptions = {
  headerBytesMax: HEADER_BYTES_MAX,
  headerFieldsMax: HEADER_FIELDS_MAX,
  continuationsMax: CONTINUATIONS_MAX,
  streamsMax: STREAMS_MAX,
  streamWindowBytes: STREAM_WINDOW_BYTES,
  connectionWindowBytes: CONNECTION_WINDOW_BYTES,
  heldBytesMax: HELD_BYTES_MAX,
  sendQueueBytesMax: SEND_QUEUE_BYTES_MAX,
  outputBacklogBytesMax: OUTPUT_BACKLOG_BYTES_MAX,
  resetBurst: RESET_BURST,
  resetsPerS: RESET_RATE_PER_S,
  controlBurst: NOISE_BURST,
  controlsPerS: NOISE_RATE_PER_S,
  settingsEntriesMax: SETTINGS_ENTRIES_MAX,
  handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
  keepaliveMs: KEEPALIVE_MS,
  keepaliveTimeoutMs: KEEPALIVE_TIMEOUT_MS,
  stallTimeoutMs: STALL_TIMEOUT_MS,
  frameTimeoutMs: FRAME_TIMEOUT_MS,
  slowReaderTimeoutMs: SLOW_READER_TIMEOUT_MS,
  slowReaderBytesPerS: SLOW_READER_BYTES_PER_S,
};

/** Fills the absent options with the defaults of this file. */
export function resolveTransportOptions(options: TransportOptions = {}): ResolvedTransportOptions {
  return { ...DEFAULTS, ...options };
}

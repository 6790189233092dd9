import type { Socket } from "node:net";
import type { SpiffeId } from "../../kit/spiffe-id.ts";
import type { HeaderList } from "../http/types.ts";

/**
 * The transport under gRPC and the h2c door: HTTP/2 streams without any type of the library or code that speaks them.
 * `net/h2/node/` adapts `node:http2`; our own implementation will stand beside it, and either can be handed to
 * `net/grpc` (RFC 9113).
 */

/** HTTP/2 error codes that callers use (RFC 9113 section 7). */
export const H2_ERROR = {
  noError: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
} as const;

/** What a request begins with. `headers` leaves the pseudo-headers out. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly scheme: string;
  readonly authority: string;
  readonly headers: HeaderList;
}

/** What a response begins with, or, with `endStream`, all of it (trailers-only in gRPC). */
export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
}

/** Our end of one stream. Calls after the stream's end are ignored. */
export interface TransportStream {
  /** Server only: sends the response's head. */
  respond(head: ResponseHead, endStream: boolean): void;
  /**
   * Sends bytes and takes ownership of them.
   * @returns false when more than the stream's send buffer is waiting: the caller stops until `onDrain`
   */
  send(data: Uint8Array, endStream: boolean): boolean;
  /** Server only: ends the stream with trailers. */
  sendTrailers(trailers: HeaderList): void;
  /** Ends the stream at once in both directions with an HTTP/2 error code. */
  reset(code: number): void;
  /** Stops the inflow: no `onData` until `resume`, and no window credit for the peer meanwhile. */
  hold(): void;
  resume(): void;
}

/** What happens on a stream. `onClose` is called exactly once and last. */
export interface StreamHandler {
  /** Client only: the response's head has come. */
  onHead?(head: ResponseHead, endStream: boolean): void;
  /** A chunk of the peer's bytes; it may be kept. */
  onData(chunk: Uint8Array): void;
  onTrailers?(trailers: HeaderList): void;
  /** The peer has finished sending. */
  onEnd(): void;
  /** There is room to send again. */
  onDrain?(): void;
  /** The stream is over: `code` is 0 after a clean end, otherwise the HTTP/2 error code or -1 for a lost connection. */
  onClose(code: number): void;
}

/**
 * Limits and timers for everything that a peer can do on one connection; every field has a default in `limits.ts`. The
 * `node:http2` adapter keeps those that it can.
 */
export interface TransportOptions {
  /** Bytes of one decoded header block, and fields in it; four times as much ends the connection, not only the stream. */
  readonly headerBytesMax?: number;
  readonly headerFieldsMax?: number;
  /** CONTINUATION frames of one header block. */
  readonly continuationsMax?: number;
  readonly streamsMax?: number;
  /** Bytes the peer may send before they are taken, on one stream and on all together. */
  readonly streamWindowBytes?: number;
  readonly connectionWindowBytes?: number;
  /** Bytes of held streams beyond which the connection's window is not refilled. */
  readonly heldBytesMax?: number;
  /** Bytes that may wait in a connection's streams for a peer that takes them slowly. */
  readonly sendQueueBytesMax?: number;
  /** Bytes beside DATA that the peer may leave unread. */
  readonly outputBacklogBytesMax?: number;
  /** Streams that may end in a reset by the peer's doing: in a burst, and forgiven each second. */
  readonly resetBurst?: number;
  readonly resetsPerS?: number;
  /** Frames that do no work by themselves: in a burst, and forgiven each second. */
  readonly controlBurst?: number;
  readonly controlsPerS?: number;
  readonly settingsEntriesMax?: number;
  /** Server only: how long a silent connection is kept; also how long either end's SETTINGS may take. */
  readonly handshakeTimeoutMs?: number;
  /** Silence before a PING, 0 for none, and how long its answer may take. */
  readonly keepaliveMs?: number;
  readonly keepaliveTimeoutMs?: number;
  /** How long a peer may give no room while we have something to send. */
  readonly stallTimeoutMs?: number;
  /** How long a frame (DATA apart) or a header block may stay unfinished. */
  readonly frameTimeoutMs?: number;
  /** How long more than `sendQueueBytesMax` may wait while the peer takes less than `slowReaderBytesPerS`. */
  readonly slowReaderTimeoutMs?: number;
  readonly slowReaderBytesPerS?: number;
  /** Told when a connection is ended because its peer broke the protocol or a limit. */
  readonly onCutOff?: (cutOff: CutOff) => void;
}

/** What a connection can be cut off for: the closed set by which cut-offs are counted. */
export type CutOffKind =
  | "protocol_error"
  | "flow_control_error"
  | "frame_size_error"
  | "compression_error"
  /** Preface and SETTINGS did not come in time. */
  | "handshake_timeout"
  /** A frame or a header block was begun and not finished in time. */
  | "frame_timeout"
  /** A PING was not answered in time. */
  | "keepalive_timeout"
  /** No or too little room for what waits to be sent. */
  | "slow_reader"
  /** What the peer does not read at all has grown too large. */
  | "output_backlog"
  /** Too many streams that end in a reset, of the peer's or by its fault. */
  | "reset_flood"
  /** Too many frames that do no work. */
  | "control_flood"
  /** A header block of too many frames or bytes, or too many such blocks. */
  | "header_flood";

/** Why a connection was cut off. */
export interface CutOff {
  readonly kind: CutOffKind;
  /** One of `H2_ERROR`. */
  readonly code: number;
  readonly reason: string;
  readonly remoteAddress: string;
}

/** What a client needs besides: how its connection is made. */
export interface TransportClientOptions extends TransportOptions {
  /**
   * Makes the socket of each connection, for TLS and tests; without it plain TCP or a unix socket is opened. The socket
   * may still be connecting.
   */
  readonly connect?: (() => Socket) | undefined;
  /**
   * Connections at once, 1 by default: more are opened while those that stand have as many streams as the peer allows. The
   * `node:http2` adapter has one, and streams wait.
   */
  readonly connectionsMax?: number | undefined;
}

/** The server's answer to a new stream: who handles it. Called synchronously with the request's head. */
export type AcceptStream = (stream: TransportStream, head: RequestHead, peer: PeerInfo) => StreamHandler;

/** Who is at the other end of a connection. */
export interface PeerInfo {
  /** Without port; empty on a unix socket. */
  readonly remoteAddress: string;
  /** Who it has proved to be with its certificate; undefined without mutual TLS. */
  readonly id?: SpiffeId | undefined;
}

/** Serves HTTP/2 on sockets that a listener has accepted and recognised. */
export interface TransportServer {
  /**
   * Takes over a connected socket on which nothing has been consumed.
   *
   * @param peerId who the peer has proved to be; all its calls carry it
   */
  accept(socket: Socket, peerId?: SpiffeId): void;
  /** Says GOAWAY on the connections that stand and lets their streams end; new ones are taken. */
  renew(): void;
  /** Sends GOAWAY on all connections and resolves when their streams have ended or `graceMs` has passed. */
  close(graceMs: number): Promise<void>;
}

/** One client connection; it connects on first use and reconnects after a loss. */
export interface TransportClient {
  /**
   * Opens a stream. Failures to connect arrive as `onClose(-1)` with `reason`.
   * @returns our end of it; sends before the connection stands are queued within the stream's send buffer
   */
  open(
    head: RequestHead,
    endStream: boolean,
    handler: StreamHandler & { onConnectError?(error: Error): void },
  ): TransportStream;
  close(): Promise<void>;
}

/** Makes servers and clients: the seam where one HTTP/2 implementation is exchanged for another. */
export interface Transport {
  createServer(accept: AcceptStream, options?: TransportOptions): TransportServer;
  /** `authority` is host:port or `unix:<path>`. */
  createClient(authority: string, options?: TransportClientOptions): TransportClient;
}

import type { GrpcStatusCode } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { SpiffeId } from "../../kit/spiffe-id.ts";
import type { TraceSpan } from "../../kit/trace-context.ts";
import type { ClientHandler } from "../h2/refused-stream.ts";
import type { TransportStream } from "../h2/transport.ts";
import type { HeaderList } from "../http/types.ts";

/** A gRPC method as its doors and clients know it: the path, the kind, and a codec that may be exchanged for a faster one. */
export interface GrpcMethod<I, O> {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly kind: "unary" | "client_streaming" | "server_streaming" | "bidi_streaming";
  encodeRequest(message: I): Uint8Array;
  decodeRequest(bytes: Uint8Array): I;
  encodeResponse(message: O): Uint8Array;
  decodeResponse(bytes: Uint8Array): O;
}

/**
 * gRPC metadata: lower-case keys, several values each, in order. Values of keys ending in `-bin` are bytes and travel as
 * base64 (gRPC over HTTP/2, "Custom-Metadata").
 */
export interface Metadata {
  get(key: string): string | undefined;
  getBinary(key: string): Uint8Array | undefined;
  getAll(key: string): readonly (string | Uint8Array)[];
  set(key: string, value: string | Uint8Array): void;
  append(key: string, value: string | Uint8Array): void;
  delete(key: string): void;
  entries(): Iterable<readonly [string, string | Uint8Array]>;
  /** The same as a flat list, bytes as padded base64. */
  toList(): string[];
  /** Adds such a list, padded or not. Its names are lower case, and all of it can travel as metadata: nothing is checked. */
  appendList(list: HeaderList): void;
}

/** A call's outcome other than OK. `detailsBin` is an encoded `google.rpc.Status` and travels as `grpc-status-details-bin`. */
export interface GrpcStatus {
  readonly code: GrpcStatusCode;
  readonly message: string;
  readonly detailsBin?: Uint8Array | undefined;
}

/** One call seen by its handler. */
export interface ServerCall {
  readonly path: string;
  readonly metadata: Metadata;
  /** Aborted when the caller cancels, its deadline passes or the connection is lost. Made on first use. */
  readonly cancellation: CancelSignal;
  /** The same for whoever needs a real one, which costs microseconds. */
  readonly signal: AbortSignal;
  /** Milliseconds the caller still gives us, undefined without a deadline. */
  readonly timeoutMs: number | undefined;
  /** All requests of a streaming call have come and been read. */
  readonly requestsRead: boolean;
  readonly remoteAddress: string;
  /** Who the caller is, proved by the certificate of its connection; undefined without mutual TLS. Headers never make one. */
  readonly peerId?: SpiffeId | undefined;
  /** The call's span, where calls are traced: set by an interceptor. */
  trace?: TraceSpan | undefined;
  /** Initial metadata of the answer; must be set before the first message is sent. */
  readonly responseHeaders: Metadata;
  readonly responseTrailers: Metadata;
  /** Sends the initial metadata now instead of with the first message. */
  sendHeaders(): void;
}

export type UnaryHandler<I, O> = (request: I, call: ServerCall) => Promise<O> | O;
export type ClientStreamingHandler<I, O> = (requests: AsyncIterable<I>, call: ServerCall) => Promise<O>;
export type ServerStreamingHandler<I, O> = (request: I, call: ServerCall) => AsyncIterable<O>;
export type BidiHandler<I, O> = (requests: AsyncIterable<I>, call: ServerCall) => AsyncIterable<O>;

/** A call whose messages come and go as raw bytes. */
export type RawHandler = (requests: AsyncIterable<Uint8Array>, call: ServerCall) => AsyncIterable<Uint8Array>;

/** How a call is passed on. */
export interface PassOnOptions {
  /**
   * A failure before the answer begins is not told to the caller: the promise rejects with it, and the request is kept for
   * another attempt as far as the limit allows.
   */
  readonly repeatable?: boolean | undefined;
  /** The stream to the peer is being opened. */
  readonly onOpen?: (() => void) | undefined;
  /** Of this attempt: it rejects with the signal's reason. */
  readonly signal?: CancelSignal | undefined;
}

/** A call of a method that the server does not know, on its way to somebody who does. Its messages are never decoded. */
export interface PassingCall extends ServerCall {
  /** All header fields as they came, without pseudo-headers. */
  readonly headers: HeaderList;
  /** The caller has begun a second message. */
  readonly requestStreams: boolean;
  /** Told once when that happens, or when the answer's second message begins. */
  onRequestStreams: (() => void) | undefined;
  onAnswerStreams: (() => void) | undefined;
  /** The request is still there as a whole, so that `passOn` may be called. */
  readonly kept: readonly Uint8Array[] | undefined;
  /**
   * Passes the call on. Resolves to the code of its outcome, the peer's or another; that the outcome is a failure is no
   * reason to reject.
   *
   * @param headers the request's, without `te`, `user-agent` and `grpc-timeout`, which are added
   * @throws PeerUnreachedError when no connection could be made; with `repeatable` any failure before an answer
   */
  passOn(client: GrpcClient, headers: HeaderList, options?: PassOnOptions): Promise<GrpcStatusCode>;
  /** Ends the call with the status of an error. @returns its code */
  fail(error: unknown): GrpcStatusCode;
}

/** Finds out where a call goes and passes it on. What it throws becomes the call's status. */
export type RelayHandler = (call: PassingCall) => Promise<unknown> | undefined;

/** What a caller may set on one call. */
export interface CallOptions {
  readonly metadata?: Metadata | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: CancelSignal | undefined;
  /** Compresses the messages that are worth it; the peer must understand it, which Dapr's own servers do not. */
  readonly compression?: "gzip" | undefined;
  /** Repeats a unary call that failed before its answer began; without it only what no server has looked at is repeated. */
  readonly retry?: RetryPolicy | undefined;
}

/** When and how often a unary call is repeated (gRPC proposal A6). */
export interface RetryPolicy {
  /** Attempts together with the first. */
  readonly attemptsMax: number;
  /** Statuses that are worth another attempt. */
  readonly codes: readonly GrpcStatusCode[];
  /** The delay before the second attempt; each further one is `multiplier` times longer, up to the most, give or take a fifth. */
  readonly delayMs: number;
  readonly delayMsMax: number;
  readonly multiplier: number;
}

/** A finished unary call. */
export interface UnaryResult<O> {
  readonly response: O;
  readonly headers: Metadata;
  readonly trailers: Metadata;
}

/** A streaming call from the caller's side. */
export interface ClientStream<I, O> {
  /** Resolves when there is room for the next message, at once after the last. @throws GrpcError when the call has ended */
  send(message: I, last?: boolean): Promise<void> | undefined;
  closeSend(): void;
  /** Messages until the status is OK; any other status is thrown as GrpcError. */
  readonly responses: AsyncIterable<O>;
  /** The status has come and was OK, and all messages have been read. */
  readonly over: boolean;
  /** Initial metadata of the answer. */
  readonly headers: Promise<Metadata>;
  /** Settled after `responses` has ended. */
  readonly trailers: Promise<Metadata>;
  cancel(): void;
}

/** A client of one authority; safe for concurrent calls. */
export interface GrpcClient {
  /** @throws GrpcError with the peer's status, or UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED of our own */
  unary<I, O>(method: GrpcMethod<I, O>, request: I, options?: CallOptions): Promise<UnaryResult<O>>;
  stream<I, O>(method: GrpcMethod<I, O>, options?: CallOptions): ClientStream<I, O>;
  /**
   * Opens a bare stream, for a call that is passed on: what is sent on it must be framed.
   *
   * @param headers taken over; `te` and `user-agent` are added
   */
  open(path: string, headers: string[], handler: ClientHandler): TransportStream;
  close(): Promise<void>;
}

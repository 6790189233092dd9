import type { GrpcStatusCode } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
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
  /** The certificate that the caller's connection showed, DER; undefined without mutual TLS. */
  readonly peerCertificate?: Uint8Array | undefined;
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

/** A call whose messages are passed on as raw bytes: how unknown services are proxied. */
export type RawHandler = (requests: AsyncIterable<Uint8Array>, call: ServerCall) => AsyncIterable<Uint8Array>;

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
  close(): Promise<void>;
}

import type { ActorRef } from "../app/actor-host.ts";
import type { GrpcStatusCode } from "../errors/grpc-status.ts";
import type { HeaderList } from "../net/http/types.ts";

/** What the calling sidecar adds to a request's metadata. */
export interface CallerStamps {
  readonly callerAppId: string;
  readonly callerNamespace: string;
  readonly calleeAppId: string;
  /** Values of `X-Forwarded-For`, `X-Forwarded-Host` and `Forwarded`; empty: not added. */
  readonly forwardedFor: string;
  readonly forwardedHost: string;
  readonly forwarded: string;
}

/** `dapr.proto.internals.v1.InternalInvokeRequest`. */
export interface RequestHead {
  /** Only in calls of actors. */
  readonly actor?: ActorRef | undefined;
  readonly headers: HeaderList;
  readonly origin: "http" | "grpc";
  readonly method: string;
  /** Empty when there is no HTTP extension. */
  readonly verb: string;
  readonly query: string;
  readonly contentType: string;
  readonly typeUrl: string;
  /** The whole body, only in unary calls. */
  readonly data: Uint8Array | undefined;
  /** Only in what is sent. */
  readonly stamps: CallerStamps | undefined;
  /** Only in what was received: whether there was a message, and any metadata. */
  readonly hasMessage: boolean;
  readonly hasMetadata: boolean;
}

/** `dapr.proto.internals.v1.InternalInvokeResponse`. */
export interface ResponseHead {
  /** A gRPC code below 100, otherwise an HTTP status; undefined when the peer sent no status. */
  readonly status: ResponseStatus | undefined;
  readonly headers: HeaderList;
  readonly trailers: HeaderList;
  readonly contentType: string;
  readonly typeUrl: string;
  readonly data: Uint8Array | undefined;
  readonly hasMessage: boolean;
}

export interface ResponseStatus {
  readonly code: number;
  readonly message: string;
  /** The status with its details: it is encoded like google.rpc.Status. */
  readonly detailsBin: Uint8Array | undefined;
}

/** One message of `CallLocalStream`, in either direction: a head in the first, a numbered piece of the body in any. */
export interface StreamMessage<Head> {
  readonly head: Head | undefined;
  /** Undefined: the message has no piece. */
  readonly payload: Uint8Array | undefined;
  readonly seq: number;
}

/** Whether a response status is the app's gRPC code. */
export function isGrpcCode(code: number): code is GrpcStatusCode {
  return code >= 0 && code <= 16;
}

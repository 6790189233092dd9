import type { DeadlineWheel } from "../deadlines.ts";
import type { HeaderList } from "../http/types.ts";
import type { ServerStreamCall } from "./server-call.ts";
import type {
  BidiHandler,
  ClientStreamingHandler,
  GrpcMethod,
  GrpcStatus,
  ServerCall,
  ServerStreamingHandler,
  UnaryHandler,
} from "./types.ts";

/** A call as interceptors see it: also its raw headers and the bytes so far, for logs and metrics. */
export interface InterceptedCall extends ServerCall {
  readonly kind: GrpcMethod<unknown, unknown>["kind"];
  /** `:authority` of the request. */
  readonly authority: string;
  /** All header fields as they came, the protocol's own among them, without pseudo-headers. */
  readonly headers: HeaderList;
  /** Bytes of messages received and sent so far, with their prefixes in the first case only. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/**
 * Something around every call: it runs when the head has come, before any message. `next` runs the rest and resolves, never
 * rejects, with the call's status at its end; the interceptor answers with the status to send. To refuse a call it throws,
 * or answers without calling `next`.
 */
export type Interceptor = (call: InterceptedCall, next: () => Promise<GrpcStatus>) => Promise<GrpcStatus>;

/** A handler of any of the four kinds, for a method of that kind. */
export type HandlerOf<I, O> =
  | UnaryHandler<I, O>
  | ClientStreamingHandler<I, O>
  | ServerStreamingHandler<I, O>
  | BidiHandler<I, O>;

/** A registered method; `handler` has the type that `kind` says. Messages are untyped from here on. */
export type MethodEntry =
  | { readonly kind: "unary"; readonly method: AnyMethod; readonly handler: UnaryHandler<unknown, unknown> }
  | {
      readonly kind: "client_streaming";
      readonly method: AnyMethod;
      readonly handler: ClientStreamingHandler<unknown, unknown>;
    }
  | {
      readonly kind: "server_streaming";
      readonly method: AnyMethod;
      readonly handler: ServerStreamingHandler<unknown, unknown>;
    }
  | { readonly kind: "bidi_streaming"; readonly method: AnyMethod; readonly handler: BidiHandler<unknown, unknown> };

/** A method whose message types have been forgotten. */
export type AnyMethod = GrpcMethod<unknown, unknown>;

/** What a call needs of its server. */
export interface ServerCore {
  readonly messageBytesMax: number;
  readonly interceptors: readonly Interceptor[];
  readonly deadlines: DeadlineWheel;
  /** A call has begun, or has ended. */
  add(call: ServerStreamCall): void;
  remove(call: ServerStreamCall): void;
  mapError(error: unknown): GrpcStatus;
}

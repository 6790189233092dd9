import type { HeaderList } from "../http/types.ts";
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
  /** For the interceptor that measures calls, on whatever clock it has; 0 until then. */
  startedMs: number;
}

/** Something around every call, also those of unknown methods. It is no chain of promises: that cost more than the calls. */
export interface Interceptor {
  /** Runs when the head has come, before any message. To refuse the call it throws; interceptors behind it do not run. */
  begin?(call: InterceptedCall): void;
  /** Runs once, when the call's status is known and before it is sent, if `begin` had its turn. */
  end?(call: InterceptedCall, status: GrpcStatus): void;
}

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

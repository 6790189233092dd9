import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { DeadlineWheel } from "../deadlines.ts";
import {
  type AcceptStream,
  H2_ERROR,
  type RequestHead,
  type StreamHandler,
  type TransportStream,
} from "../h2/transport.ts";
import type { AcceptedCall } from "./accepted-call.ts";
import { CallList } from "./call-list.ts";
import { MESSAGE_BYTES_MAX } from "./limits.ts";
import { RelayedCall } from "./relayed-call.ts";
import { ServerStreamCall } from "./server-call.ts";
import type { AnyMethod, HandlerOf, Interceptor, MethodEntry } from "./server-types.ts";
import type { ServerCore } from "./accepted-call.ts";
import { appendStatus, GrpcError, grpcStatusOf } from "./status.ts";
import type {
  BidiHandler,
  ClientStreamingHandler,
  GrpcMethod,
  GrpcStatus,
  RawHandler,
  RelayHandler,
  ServerStreamingHandler,
  UnaryHandler,
} from "./types.ts";

/** What a server may be told; every field has a default. */
export interface GrpcServerOptions {
  /** Bytes of one received message; 4 MiB by default, as in grpc-go. */
  readonly messageBytesMax?: number | undefined;
  /** Run around every call, the first one outermost, also around unknown methods. */
  readonly interceptors?: readonly Interceptor[] | undefined;
  /** The status of whatever a handler or interceptor throws; by default `grpcStatusOf`. */
  readonly mapError?: ((error: unknown) => GrpcStatus) | undefined;
}

type KindHandler<K, I, O> = K extends "unary"
  ? UnaryHandler<I, O>
  : K extends "client_streaming"
    ? ClientStreamingHandler<I, O>
    : K extends "server_streaming"
      ? ServerStreamingHandler<I, O>
      : BidiHandler<I, O>;

/** Handlers of a service's methods by name, each of the kind that `methodsOf` found; those left out answer as unknown. */
export type ServiceHandlers<M> = {
  readonly [K in keyof M]?: M[K] extends GrpcMethod<infer I, infer O> & { readonly kind: infer Kind }
    ? KindHandler<Kind, I, O>
    : never;
};

/** Calls from HTTP/2 streams to handlers. It knows no sockets: `accept` goes to a transport's server. */
export class GrpcServer {
  /** Give this to `Transport.createServer`. */
  readonly accept: AcceptStream;
  private readonly entries = new Map<string, MethodEntry>();
  private readonly services = new Set<string>();
  private readonly calls = new CallList<AcceptedCall>();
  private readonly core: ServerCore;
  private readonly unserved = new Set<string>();
  private unknown: MethodEntry;
  private relay: RelayHandler | undefined = undefined;
  private closing = false;

  constructor(options: GrpcServerOptions = {}) {
    this.core = {
      messageBytesMax: options.messageBytesMax ?? MESSAGE_BYTES_MAX,
      interceptors: options.interceptors ?? [],
      deadlines: new DeadlineWheel(),
      mapError: options.mapError ?? grpcStatusOf,
      calls: this.calls,
    };
    this.unknown = unknownEntry((_requests, call) => {
      throw this.unimplemented(call.path);
    });
    this.accept = (stream, head, peer) => {
      const { headers } = head;
      let contentType = "";
      let encoding: string | undefined;
      let timeout: string | undefined;
      for (let i = 0; i + 1 < headers.length; i += 2) {
        const name = headers[i];
        if (name === "content-type") contentType = headers[i + 1] as string;
        else if (name === "grpc-encoding") encoding = headers[i + 1];
        else if (name === "grpc-timeout") timeout = headers[i + 1];
      }
      if (head.method !== "POST" || !isGrpcContentType(contentType)) return refuseNonGrpc(stream, head, contentType);
      if (this.closing)
        return refuse(stream, 200, { code: GRPC_STATUS.UNAVAILABLE, message: "the server is shutting down" });
      const known = this.entries.get(head.path);
      if (known === undefined && this.relay !== undefined && !this.unserved.has(head.path)) {
        const passing = new RelayedCall(stream, head, peer, this.core, contentType, this.relay);
        passing.start(timeout);
        return passing;
      }
      const entry = known ?? this.unknown;
      const call = new ServerStreamCall(stream, head, peer, this.core, entry, contentType, encoding);
      call.start(timeout);
      return call;
    };
  }

  /** Registers a method. @throws Error when its path has a handler already */
  add<I, O>(method: GrpcMethod<I, O> & { readonly kind: "unary" }, handler: UnaryHandler<I, O>): void;
  add<I, O>(
    method: GrpcMethod<I, O> & { readonly kind: "client_streaming" },
    handler: ClientStreamingHandler<I, O>,
  ): void;
  add<I, O>(
    method: GrpcMethod<I, O> & { readonly kind: "server_streaming" },
    handler: ServerStreamingHandler<I, O>,
  ): void;
  add<I, O>(method: GrpcMethod<I, O> & { readonly kind: "bidi_streaming" }, handler: BidiHandler<I, O>): void;
  add<I, O>(method: GrpcMethod<I, O>, handler: HandlerOf<I, O>): void;
  add<I, O>(method: GrpcMethod<I, O>, handler: HandlerOf<I, O>): void {
    if (this.entries.has(method.path)) throw new Error(`the gRPC method ${method.path} has a handler already`);
    this.services.add(serviceOf(method.path));
    this.entries.set(method.path, { kind: method.kind, method, handler } as MethodEntry);
  }

  /** Registers the methods of a service, as `methodsOf` makes them, for which there are handlers. */
  addService<M extends object>(methods: M, handlers: ServiceHandlers<M>): void {
    for (const [name, method] of Object.entries(methods) as [keyof M, AnyMethod][]) {
      const handler = handlers[name];
      this.services.add(serviceOf(method.path));
      if (handler === undefined) this.unserved.add(method.path);
      else this.add(method, handler as HandlerOf<unknown, unknown>);
    }
  }

  /** Gives every unknown method to a handler, which may throw `unimplemented(call.path)` for those it does not want. */
  fallback(handler: RawHandler): void {
    this.unknown = unknownEntry(handler);
  }

  /**
   * Gives calls of unknown methods to a handler that passes them on; it may throw `unimplemented(call.path)`. Methods that
   * `addService` was told of without a handler stay unimplemented.
   */
  passUnknown(handler: RelayHandler): void {
    this.relay = handler;
  }

  /** The names of all services with a method here, for reflection. */
  get serviceNames(): readonly string[] {
    return [...this.services];
  }

  /** The error for a path that nobody serves, in grpc-go's words. */
  unimplemented(path: string): GrpcError {
    const slash = path.lastIndexOf("/");
    if (!path.startsWith("/") || slash < 1)
      return new GrpcError(GRPC_STATUS.UNIMPLEMENTED, `malformed method name: "${path}"`);
    const service = path.slice(1, slash);
    const message = this.services.has(service)
      ? `unknown method ${path.slice(slash + 1)} for service ${service}`
      : `unknown service ${service}`;
    return new GrpcError(GRPC_STATUS.UNIMPLEMENTED, message);
  }

  /**
   * Refuses new calls with UNAVAILABLE and resolves when the running ones have ended, or ends them with UNAVAILABLE after
   * `graceMs`. Connections are the transport's.
   */
  async close(graceMs: number): Promise<void> {
    this.closing = true;
    if (this.calls.empty) return;
    const idle = new Promise<void>((resolve) => {
      this.calls.onEmpty = resolve;
    });
    const timer = setTimeout(() => {
      for (const call of this.calls.all())
        call.settle({ code: GRPC_STATUS.UNAVAILABLE, message: "the server is shutting down" });
    }, graceMs);
    await idle;
    clearTimeout(timer);
  }
}

/** A method that passes bytes through, for proxies and for the fallback. */
export function rawMethod<K extends AnyMethod["kind"]>(
  path: string,
  kind: K,
): GrpcMethod<Uint8Array, Uint8Array> & { readonly kind: K } {
  return { path, kind, encodeRequest: same, decodeRequest: same, encodeResponse: same, decodeResponse: same };
}

function same(bytes: Uint8Array): Uint8Array {
  return bytes;
}

function unknownEntry(handler: RawHandler): MethodEntry {
  return {
    kind: "bidi_streaming",
    method: rawMethod("*", "bidi_streaming") as AnyMethod,
    handler: handler as BidiHandler<unknown, unknown>,
  };
}

function serviceOf(path: string): string {
  return path.slice(1, path.lastIndexOf("/"));
}

function isGrpcContentType(value: string): boolean {
  if (!value.startsWith("application/grpc")) return false;
  const next = value.charCodeAt(16);
  return Number.isNaN(next) || next === 43 /* + */ || next === 59; /* ; */
}

/** What grpc-go answers to a request that is not gRPC: an HTTP status with a gRPC status beside it. */
function refuseNonGrpc(stream: TransportStream, head: RequestHead, contentType: string): StreamHandler {
  if (head.method !== "POST") {
    const message = `Received a HEADERS frame with :method "${head.method}" which should be POST`;
    return refuse(stream, 405, { code: GRPC_STATUS.INTERNAL, message });
  }
  const message = `invalid gRPC request content-type "${contentType}"`;
  return refuse(stream, 415, { code: GRPC_STATUS.INVALID_ARGUMENT, message });
}

function refuse(stream: TransportStream, httpStatus: number, status: GrpcStatus): StreamHandler {
  const headers = ["content-type", "application/grpc"];
  appendStatus(status, headers);
  stream.respond({ status: httpStatus, headers }, true);
  stream.reset(H2_ERROR.noError);
  return IGNORE;
}

const IGNORE: StreamHandler = { onData: () => undefined, onEnd: () => undefined, onClose: () => undefined };

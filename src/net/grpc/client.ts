import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { DeadlineWheel } from "../deadlines.ts";
import type { ClientHandler } from "../h2/refused-stream.ts";
import type { RequestHead, Transport, TransportClientOptions, TransportStream } from "../h2/transport.ts";
import type { HeaderList } from "../http/types.ts";
import { ClientStreamCall, type ClientCore } from "./client-call.ts";
import type { GrpcClientObserver } from "./client-observer.ts";
import { StreamingCall } from "./client-stream.ts";
import { ACCEPTED_ENCODINGS } from "./inflate.ts";
import { MESSAGE_BYTES_MAX, PLAIN_HEADS_MAX } from "./limits.ts";
import { appendMetadata } from "./metadata.ts";
import { type Attempt, retryUnary } from "./retry.ts";
import { formatGrpcTimeout, GrpcError } from "./status.ts";
import type { CallOptions, ClientStream, GrpcClient, GrpcMethod, UnaryResult } from "./types.ts";

/** What a client may be told; every field has a default. */
export interface GrpcClientOptions {
  /** Bytes of one received message; 4 MiB by default, as in grpc-go. */
  readonly messageBytesMax?: number | undefined;
  /** Headers added to every call, for instance `dapr-api-token`; names in lower case. */
  readonly headers?: HeaderList | undefined;
  /** `:authority` where it differs from the address; for a unix socket it is "localhost" otherwise. */
  readonly authority?: string | undefined;
  /** `http`, or `https` when `transport.connect` makes TLS sockets. */
  readonly scheme?: "http" | "https" | undefined;
  readonly userAgent?: string | undefined;
  readonly observer?: GrpcClientObserver | undefined;
  /** Limits of the connection, and how it is made. */
  readonly transport?: TransportClientOptions | undefined;
}

/** A gRPC client of one address, `host:port` or `unix:<path>`; it connects on first use and again after a loss. */
export function createGrpcClient(transport: Transport, address: string, options: GrpcClientOptions = {}): GrpcClient {
  return new TransportGrpcClient(transport, address, options);
}

class TransportGrpcClient implements GrpcClient {
  private readonly core: ClientCore;
  private readonly authority: string;
  private readonly scheme: string;
  private readonly userAgent: string;
  private readonly ownHeaders: HeaderList;
  /** Heads of calls that say nothing of their own, by path: the transport knows what it has encoded by its identity. */
  private readonly plainHeads = new Map<string, RequestHead>();

  constructor(transport: Transport, address: string, options: GrpcClientOptions) {
    this.core = {
      transport: transport.createClient(address, options.transport),
      deadlines: new DeadlineWheel(),
      messageBytesMax: options.messageBytesMax ?? MESSAGE_BYTES_MAX,
      observer: options.observer,
    };
    this.authority = options.authority ?? (address.startsWith("unix:") ? "localhost" : address);
    this.scheme = options.scheme ?? "http";
    this.userAgent = options.userAgent ?? "outrigger";
    const own = ["te", "trailers", "content-type", "application/grpc", "grpc-accept-encoding", ACCEPTED_ENCODINGS];
    this.ownHeaders = own.concat(options.headers ?? []);
  }

  unary<I, O>(method: GrpcMethod<I, O>, request: I, options?: CallOptions): Promise<UnaryResult<O>> {
    if (options?.retry === undefined) return this.attempt(method, request, options, undefined);
    return retryUnary(options.retry, options, (attempt) => this.attempt(method, request, attempt.options, attempt));
  }

  private attempt<I, O>(
    method: GrpcMethod<I, O>,
    request: I,
    options: CallOptions | undefined,
    attempt: Attempt | undefined,
  ): Promise<UnaryResult<O>> {
    return new Promise((resolve, reject) => {
      const bytes = method.encodeRequest(request);
      const call = new UnaryCall(this.core, method, options, attempt, resolve, reject);
      call.start(this.headOf(method.path, options), bytes, options?.timeoutMs);
    });
  }

  stream<I, O>(method: GrpcMethod<I, O>, options?: CallOptions): ClientStream<I, O> {
    const call = new StreamingCall(this.core, method, options);
    call.start(this.headOf(method.path, options), options?.timeoutMs);
    return call;
  }

  open(path: string, headers: string[], handler: ClientHandler): TransportStream {
    headers.push("te", "trailers", "user-agent", this.userAgent);
    const head: RequestHead = { method: "POST", path, scheme: this.scheme, authority: this.authority, headers };
    return this.core.transport.open(head, false, handler);
  }

  close(): Promise<void> {
    return this.core.transport.close();
  }

  private headOf(path: string, options: CallOptions | undefined): RequestHead {
    const timeoutMs = options?.timeoutMs;
    const metadata = options?.metadata;
    const gzip = options?.compression === "gzip";
    if (timeoutMs === undefined && metadata === undefined && !gzip) return this.plainHead(path);
    const headers = this.ownHeaders.slice();
    if (gzip) headers.push("grpc-encoding", "gzip");
    if (timeoutMs !== undefined) headers.push("grpc-timeout", formatGrpcTimeout(timeoutMs));
    if (metadata?.get("user-agent") === undefined) headers.push("user-agent", this.userAgent);
    if (metadata !== undefined) appendMetadata(metadata, headers);
    return { method: "POST", path, scheme: this.scheme, authority: this.authority, headers };
  }

  private plainHead(path: string): RequestHead {
    const known = this.plainHeads.get(path);
    if (known !== undefined) return known;
    const headers = [...this.ownHeaders, "user-agent", this.userAgent];
    const head: RequestHead = { method: "POST", path, scheme: this.scheme, authority: this.authority, headers };
    if (this.plainHeads.size < PLAIN_HEADS_MAX) this.plainHeads.set(path, head);
    return head;
  }
}

/** One message each way. A stream that the peer refused before it looked at it is tried once more. */
class UnaryCall<I, O> extends ClientStreamCall {
  private readonly method: GrpcMethod<I, O>;
  private readonly attempt: Attempt | undefined;
  private readonly resolve: (result: UnaryResult<O>) => void;
  private readonly reject: (error: unknown) => void;
  private response: Uint8Array | undefined = undefined;
  private head: RequestHead | undefined = undefined;
  private request: Uint8Array | undefined = undefined;
  private readonly startedMs: number;

  constructor(
    core: ClientCore,
    method: GrpcMethod<I, O>,
    options: CallOptions | undefined,
    attempt: Attempt | undefined,
    resolve: (result: UnaryResult<O>) => void,
    reject: (error: unknown) => void,
  ) {
    super(core, options);
    this.method = method;
    this.attempt = attempt;
    this.resolve = resolve;
    this.reject = reject;
    this.startedMs = core.observer === undefined ? 0 : performance.now();
  }

  start(head: RequestHead, request: Uint8Array, timeoutMs: number | undefined): void {
    this.head = head;
    this.request = request;
    const stream = this.open(head, timeoutMs);
    if (stream !== undefined) this.sendMessage(stream, request, true);
  }

  protected canReopen(): boolean {
    return this.head !== undefined && this.request !== undefined;
  }

  protected reopen(): void {
    this.stream = this.core.transport.open(this.head as RequestHead, false, this);
    this.sendMessage(this.stream, this.request as Uint8Array, true);
  }

  onMessage(message: Uint8Array): boolean {
    if (this.response !== undefined) {
      this.finish(
        new GrpcError(
          GRPC_STATUS.INTERNAL,
          "cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message",
        ),
      );
    }
    this.response = message;
    return true;
  }

  protected onResponseHead(): void {
    if (this.attempt !== undefined && this.receiver !== undefined) this.attempt.committed = true;
  }

  protected onFinish(error: GrpcError | undefined): void {
    const { observer } = this.core;
    if (observer !== undefined) this.tell(observer, error);
    if (error !== undefined) {
      this.reject(error);
      return;
    }
    const bytes = this.response;
    if (bytes === undefined) {
      this.reject(
        new GrpcError(
          GRPC_STATUS.INTERNAL,
          "cardinality violation: received no response message from non-server-streaming RPC",
        ),
      );
      return;
    }
    let response: O;
    try {
      response = this.method.decodeResponse(bytes);
    } catch (cause) {
      this.reject(
        new GrpcError(
          GRPC_STATUS.INTERNAL,
          `grpc: failed to unmarshal the received message: ${(cause as Error).message}`,
          { cause },
        ),
      );
      return;
    }
    this.resolve({ response, headers: this.headersMetadata(), trailers: this.trailersMetadata() });
  }

  private tell(observer: GrpcClientObserver, error: GrpcError | undefined): void {
    const received = error === undefined ? (this.response?.length ?? 0) : 0;
    const latencyMs = performance.now() - this.startedMs;
    observer.unaryDone(this.method.path, error?.code ?? GRPC_STATUS.OK, latencyMs, this.request?.length ?? 0, received);
  }
}

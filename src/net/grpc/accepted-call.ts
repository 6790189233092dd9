import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { Cancellation, type CancelSignal } from "../../kit/cancel-signal.ts";
import type { SpiffeId } from "../../kit/spiffe-id.ts";
import type { TraceSpan } from "../../kit/trace-context.ts";
import { Deadline, type DeadlineWheel } from "../deadlines.ts";
import type { PeerInfo, RequestHead, StreamHandler, TransportStream } from "../h2/transport.ts";
import type { HeaderList } from "../http/types.ts";
import type { CallList } from "./call-list.ts";
import { DEADLINE_EXCEEDED, errorOf } from "./call-status.ts";
import { HeaderMetadata } from "./metadata.ts";
import { ResponseSender } from "./response-sender.ts";
import type { InterceptedCall, Interceptor, MethodEntry } from "./server-types.ts";
import { GrpcError, grpcStatusOf, parseGrpcTimeout } from "./status.ts";
import type { GrpcStatus, Metadata } from "./types.ts";

/** What a call needs of its server. */
export interface ServerCore {
  readonly messageBytesMax: number;
  readonly interceptors: readonly Interceptor[];
  readonly deadlines: DeadlineWheel;
  /** The calls under way. */
  readonly calls: CallList<AcceptedCall>;
  mapError(error: unknown): GrpcStatus;
}

/** What every call at the server has, whoever answers it: its head, its deadline, its interceptors and exactly one outcome. */
export abstract class AcceptedCall extends Deadline implements StreamHandler, InterceptedCall {
  startedMs = 0;
  trace: TraceSpan | undefined = undefined;
  listed = false;
  nextCall: AcceptedCall | undefined = undefined;
  previousCall: AcceptedCall | undefined = undefined;
  readonly kind: MethodEntry["kind"];
  readonly path: string;
  readonly headers: HeaderList;
  readonly authority: string;
  readonly remoteAddress: string;
  readonly peerId: SpiffeId | undefined;
  protected readonly core: ServerCore;
  protected readonly sender: ResponseSender;
  protected settled: GrpcStatus | undefined = undefined;
  protected requestEnded = false;
  private deadlineAt = 0;
  private requestMetadata: HeaderMetadata | undefined = undefined;
  private cancelled: Cancellation | undefined = undefined;
  private abort: AbortController | undefined = undefined;
  private thrownMetadata: Metadata | undefined = undefined;
  /** Interceptors that have begun. */
  private begun = 0;

  constructor(
    stream: TransportStream,
    head: RequestHead,
    peer: PeerInfo,
    core: ServerCore,
    kind: MethodEntry["kind"],
    contentType: string,
    encoding: string | undefined,
  ) {
    super();
    this.kind = kind;
    this.path = head.path;
    this.headers = head.headers;
    this.authority = head.authority;
    this.remoteAddress = peer.remoteAddress;
    this.peerId = peer.id;
    this.core = core;
    this.sender = new ResponseSender(stream, contentType, encoding);
  }

  abstract get receivedBytes(): number;
  abstract get requestsRead(): boolean;
  abstract onData(chunk: Uint8Array): void;
  abstract onEnd(): void;
  abstract onClose(code: number): void;
  /** Ends what is still being done for the call, which has failed. */
  protected abstract stopWork(status: GrpcStatus): void;
  /** What the caller still sends is not wanted any more. */
  protected abstract stopReceiving(): void;

  get sentBytes(): number {
    return this.sender.bytes;
  }

  get metadata(): Metadata {
    return (this.requestMetadata ??= new HeaderMetadata(this.headers));
  }

  get responseHeaders(): Metadata {
    return (this.sender.headers ??= new HeaderMetadata());
  }

  get responseTrailers(): Metadata {
    return (this.sender.trailers ??= new HeaderMetadata());
  }

  get timeoutMs(): number | undefined {
    return this.deadlineAt === 0 ? undefined : Math.max(0, this.deadlineAt - performance.now());
  }

  get signal(): AbortSignal {
    if (this.abort === undefined) {
      const abort = new AbortController();
      const { cancellation } = this;
      this.abort = abort;
      if (cancellation.aborted) abort.abort(cancellation.reason);
      else cancellation.addEventListener("abort", () => abort.abort(cancellation.reason));
    }
    return this.abort.signal;
  }

  get cancellation(): CancelSignal {
    let cancellation = this.cancelled;
    if (cancellation === undefined) {
      cancellation = this.cancelled = new Cancellation();
      const status = this.settled;
      if (status !== undefined && status.code !== GRPC_STATUS.OK) cancellation.abort(errorOf(status));
    }
    return cancellation;
  }

  sendHeaders(): void {
    this.sender.sendHead();
  }

  /** Starts the countdown and runs the interceptors. @returns false when that has ended the call */
  protected begin(timeout: string | undefined): boolean {
    const { calls, interceptors } = this.core;
    calls.add(this);
    if (timeout !== undefined && !this.startCountdown(timeout)) return false;
    for (; this.begun < interceptors.length; this.begun += 1) {
      const interceptor = interceptors[this.begun] as Interceptor;
      if (interceptor.begin === undefined) continue;
      try {
        interceptor.begin(this);
      } catch (error) {
        this.settle(this.statusOf(error));
        return false;
      }
    }
    return true;
  }

  private startCountdown(timeout: string): boolean {
    const ms = parseGrpcTimeout(timeout);
    if (ms === undefined) {
      this.settle({ code: GRPC_STATUS.INTERNAL, message: `malformed grpc-timeout: "${timeout}"` });
      return false;
    }
    this.deadlineAt = performance.now() + ms;
    this.core.deadlines.arm(this, ms);
    return true;
  }

  /** The call's outcome, from whoever is first: the handler, the caller, the deadline or the server's end. */
  settle(status: GrpcStatus): void {
    if (this.settled !== undefined) return;
    this.settled = status;
    this.core.deadlines.disarm(this);
    if (status.code !== GRPC_STATUS.OK) {
      this.cancelled?.abort(errorOf(status));
      this.stopWork(status);
    }
    this.stopReceiving();
    try {
      this.tellInterceptors(status);
    } finally {
      this.sendEnd(status);
      this.core.calls.remove(this);
    }
  }

  protected sendEnd(status: GrpcStatus): void {
    this.sender.sendStatus(status, this.thrownMetadata, !this.requestEnded);
  }

  private tellInterceptors(status: GrpcStatus): void {
    const { interceptors } = this.core;
    for (let index = this.begun - 1; index >= 0; index -= 1) interceptors[index]?.end?.(this, status);
  }

  protected statusOf(error: unknown): GrpcStatus {
    if (GrpcError.is(error)) this.thrownMetadata = error.metadata;
    try {
      return this.core.mapError(error);
    } catch {
      return grpcStatusOf(error);
    }
  }

  onDeadline(): void {
    this.settle(DEADLINE_EXCEEDED);
  }
}

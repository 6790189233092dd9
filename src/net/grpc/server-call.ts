import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { Cancellation, type CancelSignal } from "../../kit/cancel-signal.ts";
import { Deadline } from "../deadlines.ts";
import type { PeerInfo, RequestHead, StreamHandler, TransportStream } from "../h2/transport.ts";
import type { HeaderList } from "../http/types.ts";
import { PullQueue, type QueueSource } from "../pull-queue.ts";
import { MESSAGE_OVERHEAD_BYTES, RECEIVE_QUEUE_BYTES } from "./limits.ts";
import { MessageReceiver, type MessageSink } from "./message-receiver.ts";
import { cardinality, CANCELLED, DEADLINE_EXCEEDED, errorOf, marshalStatus, OK } from "./call-status.ts";
import { HeaderMetadata } from "./metadata.ts";
import { ResponseSender } from "./response-sender.ts";
import type { InterceptedCall, Interceptor, MethodEntry, ServerCore } from "./server-types.ts";
import { GrpcError, grpcStatusOf, parseGrpcTimeout } from "./status.ts";
import type { GrpcStatus, Metadata } from "./types.ts";

/** One call at the server: a stream with its deadline, its messages and exactly one outcome. */
export class ServerStreamCall extends Deadline implements StreamHandler, MessageSink, QueueSource, InterceptedCall {
  startedMs = 0;
  listed = false;
  nextCall: ServerStreamCall | undefined = undefined;
  previousCall: ServerStreamCall | undefined = undefined;
  readonly kind: MethodEntry["kind"];
  readonly path: string;
  readonly headers: HeaderList;
  readonly authority: string;
  readonly remoteAddress: string;
  readonly peerCertificate: Uint8Array | undefined;
  private readonly core: ServerCore;
  private readonly entry: MethodEntry;
  private readonly receiver: MessageReceiver;
  private readonly sender: ResponseSender;
  private readonly queue: PullQueue<unknown> | undefined;
  private deadlineAt = 0;
  private requestMetadata: HeaderMetadata | undefined = undefined;
  private cancelled: Cancellation | undefined = undefined;
  private abort: AbortController | undefined = undefined;
  private settled: GrpcStatus | undefined = undefined;
  private thrownMetadata: Metadata | undefined = undefined;
  private message: unknown = undefined;
  private messages = 0;
  private messagesEnded = false;
  /** Interceptors that have begun. */
  private begun = 0;
  private responses: AsyncIterator<unknown> | undefined = undefined;

  constructor(
    stream: TransportStream,
    head: RequestHead,
    peer: PeerInfo,
    core: ServerCore,
    entry: MethodEntry,
    contentType: string,
    encoding: string | undefined,
  ) {
    super();
    this.kind = entry.kind;
    this.path = head.path;
    this.headers = head.headers;
    this.authority = head.authority;
    this.remoteAddress = peer.remoteAddress;
    this.peerCertificate = peer.certificate;
    this.core = core;
    this.entry = entry;
    this.sender = new ResponseSender(stream, contentType, encoding);
    this.receiver = new MessageReceiver(stream, this, core.messageBytesMax, encoding);
    const streams = entry.kind === "client_streaming" || entry.kind === "bidi_streaming";
    this.queue = streams ? new PullQueue<unknown>(this, RECEIVE_QUEUE_BYTES) : undefined;
  }

  get receivedBytes(): number {
    return this.receiver.bytes;
  }

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
      const cancellation = this.cancel();
      this.abort = abort;
      if (cancellation.aborted) abort.abort(cancellation.reason);
      else cancellation.addEventListener("abort", () => abort.abort(cancellation.reason));
    }
    return this.abort.signal;
  }

  get requestsRead(): boolean {
    return this.queue?.drained ?? this.messagesEnded;
  }

  get cancellation(): CancelSignal {
    return this.cancel();
  }

  sendHeaders(): void {
    this.sender.sendHead();
  }

  /** Runs the interceptors and the handler. Called once, when the head has come. */
  start(timeout: string | undefined): void {
    const { calls, interceptors } = this.core;
    calls.add(this);
    if (timeout !== undefined && !this.startCountdown(timeout)) return;
    for (; this.begun < interceptors.length; this.begun += 1) {
      const interceptor = interceptors[this.begun] as Interceptor;
      if (interceptor.begin === undefined) continue;
      try {
        interceptor.begin(this);
      } catch (error) {
        this.settle(this.statusOf(error));
        return;
      }
    }
    if (this.queue !== undefined) this.run();
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

  private cancel(): Cancellation {
    let cancellation = this.cancelled;
    if (cancellation === undefined) {
      cancellation = this.cancelled = new Cancellation();
      const status = this.settled;
      if (status !== undefined && status.code !== GRPC_STATUS.OK) cancellation.abort(errorOf(status));
    }
    return cancellation;
  }

  private run(): void {
    if (this.settled !== undefined) return;
    let running: unknown;
    try {
      running = this.callHandler();
    } catch (error) {
      this.settle(this.statusOf(error));
      return;
    }
    if (!(running instanceof Promise)) return this.complete(running);
    running.then(
      (response) => this.complete(response),
      (error: unknown) => this.settle(this.statusOf(error)),
    );
  }

  private callHandler(): unknown {
    const entry = this.entry;
    switch (entry.kind) {
      case "unary":
        return entry.handler(this.message, this);
      case "client_streaming":
        return entry.handler(this.queue as AsyncIterable<unknown>, this);
      case "server_streaming":
        return this.sendAll(entry.handler(this.message, this));
      case "bidi_streaming":
        return this.sendAll(entry.handler(this.queue as AsyncIterable<unknown>, this));
    }
  }

  private complete(response: unknown): void {
    if (this.settled !== undefined) return;
    if (this.entry.kind === "unary" || this.entry.kind === "client_streaming") {
      try {
        this.sender.sendMessage(this.entry.method.encodeResponse(response));
      } catch (error) {
        this.settle(marshalStatus(error));
        return;
      }
    }
    this.settle(OK);
  }

  private async sendAll(responses: AsyncIterable<unknown>): Promise<void> {
    const iterator = responses[Symbol.asyncIterator]();
    this.responses = iterator;
    for (;;) {
      const result = await iterator.next();
      if (result.done === true || this.settled !== undefined) break;
      let bytes: Uint8Array;
      try {
        bytes = this.entry.method.encodeResponse(result.value);
      } catch (error) {
        this.settle(marshalStatus(error));
        return;
      }
      if (!this.sender.sendMessage(bytes)) await this.sender.drained();
      if (this.settled !== undefined) return;
    }
  }

  /** The call's outcome, from whoever is first: the handler, the caller, the deadline or the server's end. */
  settle(status: GrpcStatus): void {
    if (this.settled !== undefined) return;
    this.settled = status;
    this.core.deadlines.disarm(this);
    if (status.code !== GRPC_STATUS.OK) this.stopWork(status);
    this.receiver.stop();
    try {
      this.tellInterceptors(status);
    } finally {
      this.sender.sendStatus(status, this.thrownMetadata, !this.messagesEnded);
      this.core.calls.remove(this);
    }
  }

  private tellInterceptors(status: GrpcStatus): void {
    const { interceptors } = this.core;
    for (let index = this.begun - 1; index >= 0; index -= 1) interceptors[index]?.end?.(this, status);
  }

  private stopWork(status: GrpcStatus): void {
    const responses = this.responses;
    this.cancelled?.abort(errorOf(status));
    this.queue?.fail(errorOf(status));
    this.sender.onDrain();
    if (responses?.return !== undefined) void Promise.resolve(responses.return()).catch(() => undefined);
  }

  private statusOf(error: unknown): GrpcStatus {
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

  onData(chunk: Uint8Array): void {
    this.receiver.push(chunk);
  }

  onEnd(): void {
    this.receiver.end();
  }

  onDrain(): void {
    this.sender.onDrain();
  }

  onClose(): void {
    this.sender.close();
    this.settle(CANCELLED);
  }

  onMessage(bytes: Uint8Array): boolean {
    this.messages += 1;
    let message: unknown;
    try {
      message = this.entry.method.decodeRequest(bytes);
    } catch (error) {
      this.settle({
        code: GRPC_STATUS.INTERNAL,
        message: `grpc: error unmarshalling request: ${(error as Error).message}`,
      });
      return true;
    }
    if (this.queue !== undefined) return this.queue.push(message, bytes.length + MESSAGE_OVERHEAD_BYTES);
    if (this.messages > 1) this.settle(cardinality("received multiple request messages"));
    this.message = message;
    return true;
  }

  onMessagesEnd(whole: boolean): void {
    this.messagesEnded = true;
    if (!whole) this.settle({ code: GRPC_STATUS.INTERNAL, message: "unexpected EOF" });
    else if (this.queue !== undefined) this.queue.end();
    else if (this.messages === 0) this.settle(cardinality("received no request message"));
    else this.run();
  }

  onMessageError(error: GrpcError): void {
    this.settle(error);
  }

  onRoom(): void {
    this.receiver.resume();
  }

  onAbandoned(): void {
    this.receiver.stop();
  }
}

import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { Deadline, type DeadlineWheel } from "../deadlines.ts";
import {
  H2_ERROR,
  type RequestHead,
  type ResponseHead,
  type StreamHandler,
  type TransportClient,
  type TransportStream,
} from "../h2/transport.ts";
import type { HeaderList } from "../http/types.ts";
import type { GrpcClientObserver } from "./client-observer.ts";
import { dialError, httpError, NO_TRAILERS_MESSAGE } from "./foreign-answers.ts";
import { MessageReceiver, type MessageSink } from "./message-receiver.ts";
import { headerOf, HeaderMetadata } from "./metadata.ts";
import { sendCompressed, sendFramed } from "./response-sender.ts";
import { errorOfStatus, GrpcError, grpcErrorOfReset, statusOfTrailers } from "./status.ts";
import type { CallOptions } from "./types.ts";

const NO_HEADERS: HeaderList = [];

/** What a call needs of its client. */
export interface ClientCore {
  readonly transport: TransportClient;
  readonly deadlines: DeadlineWheel;
  readonly messageBytesMax: number;
  readonly observer: GrpcClientObserver | undefined;
}

/**
 * One call at the client, from its stream to its one outcome: what unary and streaming calls share. Subclasses say what
 * happens to messages, the initial metadata and the end.
 */
export abstract class ClientStreamCall extends Deadline implements StreamHandler, MessageSink {
  protected readonly core: ClientCore;
  protected stream: TransportStream | undefined = undefined;
  protected receiver: MessageReceiver | undefined = undefined;
  protected responseHeaders: HeaderList = NO_HEADERS;
  protected responseTrailers: HeaderList = NO_HEADERS;
  protected headSeen = false;
  protected finished = false;
  private readonly signal: CancelSignal | undefined;
  private readonly gzip: boolean;
  private onAbort: (() => void) | undefined = undefined;
  private connectError: Error | undefined = undefined;
  private httpError: GrpcError | undefined = undefined;
  private endSeen = false;
  /** On the clock of `performance.now()`; 0: no deadline. */
  private deadlineAt = 0;
  private reopened = false;

  constructor(core: ClientCore, options: CallOptions | undefined) {
    super();
    this.core = core;
    this.signal = options?.signal;
    this.gzip = options?.compression === "gzip";
  }

  protected sendMessage(stream: TransportStream, message: Uint8Array, endStream: boolean): boolean {
    return this.gzip ? sendCompressed(stream, message, endStream) : sendFramed(stream, message, endStream);
  }

  /** Opens the stream, and starts the deadline and the watch on the caller's signal. */
  protected open(head: RequestHead, timeoutMs: number | undefined): TransportStream | undefined {
    if (timeoutMs !== undefined) {
      if (timeoutMs <= 0) {
        this.onDeadline();
        return undefined;
      }
      this.deadlineAt = performance.now() + timeoutMs;
      this.core.deadlines.arm(this, timeoutMs);
    }
    const signal = this.signal;
    if (signal !== undefined) {
      if (signal.aborted) {
        this.cancelled();
        return undefined;
      }
      this.onAbort = () => this.cancelled();
      signal.addEventListener("abort", this.onAbort, { once: true });
    }
    this.stream = this.core.transport.open(head, false, this);
    return this.stream;
  }

  /** Whether all that was sent is still at hand. */
  protected abstract canReopen(): boolean;
  /** Sends everything again on a new stream: the peer has refused the first one without a look at it. */
  protected abstract reopen(): void;
  /** The outcome, told once: undefined for OK. */
  protected abstract onFinish(error: GrpcError | undefined): void;
  protected abstract onResponseHead(): void;
  abstract onMessage(message: Uint8Array): boolean;

  /**
   * Ends the call with an outcome of our own or the peer's. The stream is reset: that does nothing to one that has ended,
   * and frees one on which we were still sending.
   */
  protected finish(error: GrpcError | undefined): void {
    if (this.finished) return;
    this.finished = true;
    this.core.deadlines.disarm(this);
    if (this.onAbort !== undefined) this.signal?.removeEventListener("abort", this.onAbort);
    this.receiver?.stop();
    this.stream?.reset(H2_ERROR.cancel);
    this.onFinish(error);
  }

  protected cancelled(): void {
    this.finish(new GrpcError(GRPC_STATUS.CANCELLED, "context canceled", { cause: this.signal?.reason }));
  }

  onDeadline(): void {
    this.finish(new GrpcError(GRPC_STATUS.DEADLINE_EXCEEDED, "context deadline exceeded"));
  }

  onConnectError(error: Error): void {
    this.connectError = error;
  }

  onHead(head: ResponseHead, endStream: boolean): void {
    this.headSeen = true;
    const contentType = headerOf(head.headers, "content-type");
    if (endStream) {
      this.responseTrailers = head.headers;
      if (statusOfTrailers(head.headers) === undefined) this.httpError = httpError(head.status, contentType);
      this.onResponseHead();
      return;
    }
    if (head.status !== 200 || contentType?.startsWith("application/grpc") !== true) {
      this.finish(httpError(head.status, contentType));
      return;
    }
    this.responseHeaders = head.headers;
    this.receiver = new MessageReceiver(
      this.stream as TransportStream,
      this,
      this.core.messageBytesMax,
      headerOf(head.headers, "grpc-encoding"),
    );
    this.onResponseHead();
  }

  onData(chunk: Uint8Array): void {
    this.receiver?.push(chunk);
  }

  onTrailers(trailers: HeaderList): void {
    this.responseTrailers = trailers;
  }

  onEnd(): void {
    this.endSeen = true;
    if (this.receiver === undefined) this.onMessagesEnd(true);
    else this.receiver.end();
  }

  onMessagesEnd(whole: boolean): void {
    const status = statusOfTrailers(this.responseTrailers);
    if (status !== undefined && status.code !== GRPC_STATUS.OK)
      this.finish(errorOfStatus(status, this.responseTrailers));
    else if (!whole) this.finish(new GrpcError(GRPC_STATUS.INTERNAL, "unexpected EOF"));
    else if (status !== undefined) this.finish(undefined);
    else if (this.httpError !== undefined) this.finish(this.httpError);
    else this.finish(new GrpcError(GRPC_STATUS.INTERNAL, NO_TRAILERS_MESSAGE));
  }

  onMessageError(error: GrpcError): void {
    this.finish(error);
  }

  onClose(code: number): void {
    // What came whole is read to its end, at the reader's pace, whatever happens to the stream then.
    if (this.finished || this.endSeen) return;
    if (code === H2_ERROR.refusedStream && !this.headSeen && !this.reopened && this.canReopen()) {
      this.reopened = true;
      this.reopen();
      return;
    }
    if (this.connectError !== undefined) {
      this.finish(dialError(this.connectError));
      return;
    }
    // After the peer's last message a clean close comes while the reader lags: its end is still to be read.
    if (code === 0 && this.receiver !== undefined) return;
    // The server's timer may run out before ours, which is coarse.
    if (code === H2_ERROR.cancel && this.deadlineAt !== 0 && performance.now() >= this.deadlineAt) {
      this.onDeadline();
      return;
    }
    const status = statusOfTrailers(this.responseTrailers);
    this.finish(
      status === undefined || status.code === GRPC_STATUS.OK
        ? grpcErrorOfReset(code)
        : errorOfStatus(status, this.responseTrailers),
    );
  }

  protected headersMetadata(): HeaderMetadata {
    return new HeaderMetadata(this.responseHeaders);
  }

  protected trailersMetadata(): HeaderMetadata {
    return new HeaderMetadata(this.responseTrailers);
  }
}

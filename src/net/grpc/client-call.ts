import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { Deadline, type DeadlineWheel } from "../deadlines.ts";
import {
  H2_ERROR,
  type RequestHead,
  type ResponseHead,
  type StreamHandler,
  type TransportClient,
  type TransportStream,
} from "../h2/transport.ts";
import { connectErrorText } from "../http/errors.ts";
import type { HeaderList } from "../http/types.ts";
import { MessageReceiver, type MessageSink } from "./message-receiver.ts";
import { headerOf, HeaderMetadata } from "./metadata.ts";
import { errorOfStatus, GrpcError, grpcCodeOfHttp, grpcErrorOfReset, statusOfTrailers } from "./status.ts";

const NO_HEADERS: HeaderList = [];

/** What a call needs of its client. */
export interface ClientCore {
  readonly transport: TransportClient;
  readonly deadlines: DeadlineWheel;
  readonly messageBytesMax: number;
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
  private readonly signal: AbortSignal | undefined;
  private onAbort: (() => void) | undefined = undefined;
  private connectError: Error | undefined = undefined;
  private httpError: GrpcError | undefined = undefined;
  private messagesEnded = false;

  constructor(core: ClientCore, signal: AbortSignal | undefined) {
    super();
    this.core = core;
    this.signal = signal;
  }

  /** Opens the stream, and starts the deadline and the watch on the caller's signal. */
  protected open(head: RequestHead, timeoutMs: number | undefined): TransportStream | undefined {
    if (timeoutMs !== undefined) {
      if (timeoutMs <= 0) {
        this.onDeadline();
        return undefined;
      }
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
    if (this.receiver === undefined) this.onMessagesEnd(true);
    else this.receiver.end();
  }

  onMessagesEnd(whole: boolean): void {
    this.messagesEnded = true;
    const status = statusOfTrailers(this.responseTrailers);
    if (status !== undefined && status.code !== GRPC_STATUS.OK)
      this.finish(errorOfStatus(status, this.responseTrailers));
    else if (!whole) this.finish(new GrpcError(GRPC_STATUS.INTERNAL, "unexpected EOF"));
    else if (status !== undefined) this.finish(undefined);
    else if (this.httpError !== undefined) this.finish(this.httpError);
    else this.finish(new GrpcError(GRPC_STATUS.INTERNAL, "server closed the stream without sending trailers"));
  }

  onMessageError(error: GrpcError): void {
    this.finish(error);
  }

  onClose(code: number): void {
    if (this.finished || this.messagesEnded) return;
    const connectError = this.connectError;
    if (connectError !== undefined) {
      const message = `connection error: desc = "transport: Error while dialing: ${connectErrorText(connectError)}"`;
      this.finish(new GrpcError(GRPC_STATUS.UNAVAILABLE, message, { cause: connectError }));
      return;
    }
    // After the peer's last message a clean close comes while the reader lags: its end is still to be read.
    if (code === 0 && this.receiver !== undefined) return;
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

function httpError(status: number, contentType: string | undefined): GrpcError {
  const text = `unexpected HTTP status code received from server: ${status}`;
  const detail =
    contentType?.startsWith("application/grpc") === true
      ? ""
      : `; transport: received unexpected content-type "${contentType ?? ""}"`;
  return new GrpcError(grpcCodeOfHttp(status), text + detail);
}

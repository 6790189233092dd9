import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { RequestHead } from "../h2/transport.ts";
import { PullQueue, type QueueSource } from "../pull-queue.ts";
import { ClientStreamCall, type ClientCore } from "./client-call.ts";
import { MESSAGE_OVERHEAD_BYTES, RECEIVE_QUEUE_BYTES } from "./limits.ts";
import { sendFramed } from "./response-sender.ts";
import { GrpcError } from "./status.ts";
import type { ClientStream, GrpcMethod, Metadata } from "./types.ts";

/** A promise that is asked for later than it is settled, or never: a rejection nobody waits for is no error. */
class Later<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => undefined);
  }
}

const EMPTY = new Uint8Array(0);

/** Any number of messages each way. What comes is queued up to a bound; then the peer is held until the reader pulls. */
export class StreamingCall<I, O> extends ClientStreamCall implements ClientStream<I, O>, QueueSource {
  readonly responses: PullQueue<O>;
  private readonly method: GrpcMethod<I, O>;
  private readonly headersLater = new Later<Metadata>();
  private readonly trailersLater = new Later<Metadata>();
  private error: GrpcError | undefined = undefined;
  private sendClosed = false;
  private room: Later<void> | undefined = undefined;

  constructor(core: ClientCore, method: GrpcMethod<I, O>, signal: AbortSignal | undefined) {
    super(core, signal);
    this.method = method;
    this.responses = new PullQueue<O>(this, RECEIVE_QUEUE_BYTES);
  }

  start(head: RequestHead, timeoutMs: number | undefined): void {
    this.open(head, timeoutMs);
  }

  get headers(): Promise<Metadata> {
    return this.headersLater.promise;
  }

  get trailers(): Promise<Metadata> {
    return this.trailersLater.promise;
  }

  send(message: I): Promise<void> | undefined {
    if (this.finished || this.stream === undefined)
      return Promise.reject(this.error ?? new GrpcError(GRPC_STATUS.CANCELLED, "the call has ended"));
    if (this.sendClosed) return Promise.reject(new GrpcError(GRPC_STATUS.INTERNAL, "SendMsg called after CloseSend"));
    const more = sendFramed(this.stream, this.method.encodeRequest(message), false);
    if (more && this.room === undefined) return undefined;
    this.room ??= new Later<void>();
    return this.room.promise;
  }

  closeSend(): void {
    if (this.sendClosed || this.finished) return;
    this.sendClosed = true;
    this.stream?.send(EMPTY, true);
  }

  cancel(): void {
    this.cancelled();
  }

  onDrain(): void {
    const room = this.room;
    this.room = undefined;
    room?.resolve();
  }

  onMessage(bytes: Uint8Array): boolean {
    let message: O;
    try {
      message = this.method.decodeResponse(bytes);
    } catch (cause) {
      this.finish(
        new GrpcError(
          GRPC_STATUS.INTERNAL,
          `grpc: failed to unmarshal the received message: ${(cause as Error).message}`,
          { cause },
        ),
      );
      return true;
    }
    return this.responses.push(message, bytes.length + MESSAGE_OVERHEAD_BYTES);
  }

  onRoom(): void {
    this.receiver?.resume();
  }

  onAbandoned(): void {
    this.cancelled();
  }

  protected onResponseHead(): void {
    this.headersLater.resolve(this.headersMetadata());
  }

  protected onFinish(error: GrpcError | undefined): void {
    this.error = error;
    if (error === undefined) this.responses.end();
    else this.responses.fail(error);
    // Without an error the peer may have ended the call before we had sent everything: that is no failure of the call.
    const sendError = error ?? new GrpcError(GRPC_STATUS.CANCELLED, "the call has ended");
    this.room?.reject(sendError);
    this.room = undefined;
    if (this.headSeen) this.headersLater.resolve(this.headersMetadata());
    else this.headersLater.reject(sendError);
    this.trailersLater.resolve(this.trailersMetadata());
  }
}

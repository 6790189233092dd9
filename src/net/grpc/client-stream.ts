import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { RequestHead } from "../h2/transport.ts";
import { PullQueue, type QueueSource } from "../pull-queue.ts";
import { ClientStreamCall, type ClientCore } from "./client-call.ts";
import { MESSAGE_OVERHEAD_BYTES, RECEIVE_QUEUE_BYTES, REPLAY_BYTES_MAX } from "./limits.ts";
import { GrpcError } from "./status.ts";
import type { CallOptions, ClientStream, GrpcMethod, Metadata } from "./types.ts";

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
  /** Made when somebody asks. */
  private headersLater: Later<Metadata> | undefined = undefined;
  private trailersLater: Later<Metadata> | undefined = undefined;
  private error: GrpcError | undefined = undefined;
  private sendClosed = false;
  private room: Later<void> | undefined = undefined;
  private head: RequestHead | undefined = undefined;
  /** What was sent until the peer's head came; undefined when that is too much to keep. */
  private replay: Uint8Array[] | undefined = [];
  private replayBytes = 0;

  constructor(core: ClientCore, method: GrpcMethod<I, O>, options: CallOptions | undefined) {
    super(core, options);
    this.method = method;
    this.responses = new PullQueue<O>(this, RECEIVE_QUEUE_BYTES);
  }

  start(head: RequestHead, timeoutMs: number | undefined): void {
    this.head = head;
    this.open(head, timeoutMs);
  }

  get headers(): Promise<Metadata> {
    let later = this.headersLater;
    if (later === undefined) {
      later = this.headersLater = new Later();
      if (this.headSeen) later.resolve(this.headersMetadata());
      else if (this.finished) later.reject(this.endedError());
    }
    return later.promise;
  }

  get trailers(): Promise<Metadata> {
    let later = this.trailersLater;
    if (later === undefined) {
      later = this.trailersLater = new Later();
      if (this.finished) later.resolve(this.trailersMetadata());
    }
    return later.promise;
  }

  get over(): boolean {
    return this.responses.drained;
  }

  send(message: I, last = false): Promise<void> | undefined {
    if (this.finished || this.stream === undefined) return Promise.reject(this.endedError());
    if (this.sendClosed) return Promise.reject(new GrpcError(GRPC_STATUS.INTERNAL, "SendMsg called after CloseSend"));
    const bytes = this.method.encodeRequest(message);
    if (this.replay !== undefined) this.keep(this.replay, bytes);
    this.sendClosed = last;
    const more = this.sendMessage(this.stream, bytes, last);
    if (last) return undefined;
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

  private keep(replay: Uint8Array[], bytes: Uint8Array): void {
    this.replayBytes += bytes.length + MESSAGE_OVERHEAD_BYTES;
    if (this.headSeen || this.replayBytes > REPLAY_BYTES_MAX) this.replay = undefined;
    else replay.push(bytes);
  }

  protected canReopen(): boolean {
    return this.replay !== undefined && this.head !== undefined;
  }

  protected reopen(): void {
    const stream = this.core.transport.open(this.head as RequestHead, false, this);
    this.stream = stream;
    let more = true;
    for (const bytes of this.replay ?? []) more = this.sendMessage(stream, bytes, false);
    if (this.sendClosed) stream.send(EMPTY, true);
    if (more) this.onDrain();
  }

  protected onResponseHead(): void {
    this.replay = undefined;
    this.headersLater?.resolve(this.headersMetadata());
  }

  /** Without an error the peer may have ended the call before we had sent everything: that is no failure of the call. */
  private endedError(): GrpcError {
    return this.error ?? new GrpcError(GRPC_STATUS.CANCELLED, "the call has ended");
  }

  protected onFinish(error: GrpcError | undefined): void {
    this.error = error;
    if (error === undefined) this.responses.end();
    else this.responses.fail(error);
    if (this.room !== undefined) {
      this.room.reject(this.endedError());
      this.room = undefined;
    }
    if (!this.headSeen) this.headersLater?.reject(this.endedError());
    this.trailersLater?.resolve(this.trailersMetadata());
  }
}

import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { PeerInfo, RequestHead, TransportStream } from "../h2/transport.ts";
import { PullQueue, type QueueSource } from "../pull-queue.ts";
import { AcceptedCall } from "./accepted-call.ts";
import { cardinality, CANCELLED, errorOf, marshalStatus, OK } from "./call-status.ts";
import { MESSAGE_OVERHEAD_BYTES, RECEIVE_QUEUE_BYTES } from "./limits.ts";
import { MessageReceiver, type MessageSink } from "./message-receiver.ts";
import type { MethodEntry } from "./server-types.ts";
import type { ServerCore } from "./accepted-call.ts";
import type { GrpcError } from "./status.ts";
import type { GrpcStatus } from "./types.ts";

/** One call that a handler of ours answers: its messages, decoded, in and out. */
export class ServerStreamCall extends AcceptedCall implements MessageSink, QueueSource {
  private readonly entry: MethodEntry;
  private readonly receiver: MessageReceiver;
  private readonly queue: PullQueue<unknown> | undefined;
  private message: unknown = undefined;
  private messages = 0;
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
    super(stream, head, peer, core, entry.kind, contentType, encoding);
    this.entry = entry;
    this.receiver = new MessageReceiver(stream, this, core.messageBytesMax, encoding);
    const streams = entry.kind === "client_streaming" || entry.kind === "bidi_streaming";
    this.queue = streams ? new PullQueue<unknown>(this, RECEIVE_QUEUE_BYTES) : undefined;
  }

  get receivedBytes(): number {
    return this.receiver.bytes;
  }

  get requestsRead(): boolean {
    return this.queue?.drained ?? this.requestEnded;
  }

  /** Runs the interceptors and the handler. Called once, when the head has come. */
  start(timeout: string | undefined): void {
    if (this.begin(timeout) && this.queue !== undefined) this.run();
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

  protected stopWork(status: GrpcStatus): void {
    const { responses } = this;
    this.queue?.fail(errorOf(status));
    this.sender.onDrain();
    if (responses?.return !== undefined) void Promise.resolve(responses.return()).catch(() => undefined);
  }

  protected stopReceiving(): void {
    this.receiver.stop();
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
    this.requestEnded = true;
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

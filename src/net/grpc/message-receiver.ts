import type { TransportStream } from "../h2/transport.ts";
import { FrameReader } from "./framing.ts";
import { inflateMessage } from "./inflate.ts";
import type { GrpcError } from "./status.ts";

/** Who gets the messages of a stream: a call, on either side. */
export interface MessageSink {
  /** One message. @returns false when the reader lags: the stream is held until `resume` */
  onMessage(message: Uint8Array): boolean;
  /** The peer has sent all messages; `whole` is false when it stopped within one. */
  onMessagesEnd(whole: boolean): void;
  /** The bytes cannot be messages, or a message breaks the limit. Nothing follows. */
  onMessageError(error: GrpcError): void;
}

/**
 * Bytes in, messages out, in order, with the stream held while the reader lags or a message is being inflated. What was
 * received in one chunk is given on only as far as the reader takes it.
 */
export class MessageReceiver {
  bytes = 0;
  private readonly frames: FrameReader;
  private readonly messageBytesMax: number;
  private readonly sink: MessageSink;
  private readonly stream: TransportStream;
  private readonly encoding: string | undefined;
  private held = false;
  private inflating = false;
  private ended = false;
  private stopped = false;

  constructor(stream: TransportStream, sink: MessageSink, messageBytesMax: number, encoding: string | undefined) {
    this.stream = stream;
    this.sink = sink;
    this.messageBytesMax = messageBytesMax;
    this.frames = new FrameReader(messageBytesMax);
    this.encoding = encoding;
  }

  /** The peer's bytes. */
  push(chunk: Uint8Array): void {
    if (this.stopped) return;
    this.bytes += chunk.length;
    this.frames.push(chunk);
    if (!this.held && !this.inflating) this.pump();
  }

  /** The peer's end. */
  end(): void {
    this.ended = true;
    if (!this.held && !this.inflating) this.finish();
  }

  /** The reader has caught up. */
  resume(): void {
    if (!this.held) return;
    this.held = false;
    if (this.inflating || this.stopped) return;
    this.pump();
    if (!this.held && !this.inflating) this.stream.resume();
  }

  /** Nothing more is wanted: what still comes is dropped. */
  stop(): void {
    this.stopped = true;
    if (this.held || this.inflating) this.stream.resume();
    this.held = false;
  }

  private pump(): void {
    while (!this.stopped && !this.held && !this.inflating) {
      let message: Uint8Array | undefined;
      try {
        message = this.frames.next();
      } catch (error) {
        this.fail(error as GrpcError);
        return;
      }
      if (message === undefined) break;
      if (this.frames.compressed) this.inflate(message);
      else this.give(message);
    }
    if (this.ended && !this.held && !this.inflating) this.finish();
  }

  private give(message: Uint8Array): void {
    if (this.sink.onMessage(message)) return;
    this.held = true;
    this.stream.hold();
  }

  private inflate(message: Uint8Array): void {
    let now = true;
    this.inflating = true;
    inflateMessage(this.encoding, message, this.messageBytesMax, (error, result) => {
      this.inflating = false;
      if (this.stopped) return;
      if (error !== undefined) this.fail(error);
      else this.give(result);
      if (now || this.held || this.stopped) return;
      this.stream.resume();
      this.pump();
    });
    now = false;
    if (this.inflating) this.stream.hold();
  }

  private fail(error: GrpcError): void {
    this.stop();
    this.sink.onMessageError(error);
  }

  private finish(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.sink.onMessagesEnd(this.frames.atBoundary);
  }
}

import { H2_ERROR } from "../transport.ts";
import { ConnectionError } from "./errors.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { FRAME_PAYLOAD_BYTES, WINDOW_BYTES_DEFAULT, WINDOW_BYTES_LIMIT } from "./frames.ts";
import type { Offences } from "./offences.ts";
import type { Output } from "./output.ts";

/** Bytes of one stream that go out before it is another's turn. */
const QUANTUM_BYTES = FRAME_PAYLOAD_BYTES;

/** A stream by what it has to send. */
export interface SendingStream {
  readonly id: number;
  readonly closed: boolean;
  readonly queuedBytes: number;
  sendWindow: number;
  /** It waits for its turn. */
  scheduled: boolean;
  /** Sends so many bytes at most. @returns whether more could go out at once */
  pump(bytesMax: number): boolean;
}

/** What the streams of a connection send: how much the peer takes of it, and whose turn it is. */
export class SendTurns {
  /** Bytes that wait in all streams. */
  queuedBytes = 0;
  /** Bytes that went out since somebody last set this to 0; `progressed` tells of empty frames as well. */
  sentBytes = 0;
  progressed = false;
  private readonly output: Output;
  private readonly writer: FrameWriter;
  private readonly offences: Offences;
  private window = WINDOW_BYTES_DEFAULT;
  private readonly sendable: SendingStream[] = [];
  private running = false;

  constructor(output: Output, writer: FrameWriter, offences: Offences) {
    this.output = output;
    this.writer = writer;
    this.offences = offences;
  }

  /** The socket takes nothing more for now. */
  get blocked(): boolean {
    return this.output.full;
  }

  /** Whether a stream may send so many bytes at once, past no other that waits. */
  canSend(stream: SendingStream, length: number): boolean {
    return (
      length <= this.window &&
      length <= stream.sendWindow &&
      length <= FRAME_PAYLOAD_BYTES &&
      !this.output.full &&
      this.sendable.length === 0
    );
  }

  /** Bytes that a stream may send in one frame. */
  roomFor(stream: SendingStream): number {
    return this.output.full ? 0 : Math.min(this.window, stream.sendWindow, FRAME_PAYLOAD_BYTES);
  }

  /** Sends DATA for which there is room, and takes ownership of the bytes. */
  write(stream: SendingStream, data: Uint8Array, start: number, end: number, endStream: boolean): void {
    const length = end - start;
    this.window -= length;
    stream.sendWindow -= length;
    this.progressed = true;
    this.sentBytes += length;
    this.offences.sentData(length, length === data.length);
    this.writer.data(stream.id, data, start, end, endStream);
  }

  /** Bytes wait in a stream, or, with a negative number, do no longer. */
  countQueued(bytes: number): void {
    this.queuedBytes += bytes;
  }

  /** A stream has something to send: it gets its turn now or when there is room. */
  schedule(stream: SendingStream): void {
    if (stream.scheduled || stream.id === 0) return;
    stream.scheduled = true;
    this.sendable.push(stream);
    this.run();
  }

  /** The stream's window has changed. */
  reconsider(stream: SendingStream): void {
    if (stream.queuedBytes > 0 && stream.sendWindow > 0) this.schedule(stream);
  }

  /** Credit of the peer's for the connection. @throws ConnectionError */
  widen(bytes: number): void {
    if (bytes === 0) throw new ConnectionError(H2_ERROR.protocol, "WINDOW_UPDATE of 0");
    this.window += bytes;
    if (this.window > WINDOW_BYTES_LIMIT) throw new ConnectionError(H2_ERROR.flowControl, "the window overflows");
    this.run();
  }

  /** Lets streams send by turns, until the windows or the socket are full. */
  run(): void {
    if (this.running) return;
    this.running = true;
    const { sendable } = this;
    let idle = 0;
    while (sendable.length > idle && this.window > 0 && !this.output.full) {
      const stream = sendable.shift() as SendingStream;
      if (stream.closed) {
        stream.scheduled = false;
        continue;
      }
      const { sentBytes } = this;
      if (stream.pump(QUANTUM_BYTES)) {
        sendable.push(stream);
        idle = 0;
      } else if (stream.queuedBytes > 0 && stream.sendWindow > 0) {
        // Without room, or with new bytes that its handler gave it when the old ones had gone: then it is not idle.
        sendable.push(stream);
        idle = this.sentBytes === sentBytes ? idle + 1 : 0;
      } else {
        stream.scheduled = false;
      }
    }
    this.running = false;
    this.flushZeroLength();
  }

  /** Nothing will be sent any more. */
  clear(): void {
    this.sendable.length = 0;
  }

  /** Ends and trailers need no window. */
  private flushZeroLength(): void {
    const { sendable } = this;
    for (let i = 0; i < sendable.length; i += 1) {
      const stream = sendable[i] as SendingStream;
      if (stream.closed || stream.queuedBytes > 0) continue;
      sendable.splice(i, 1);
      i -= 1;
      stream.scheduled = false;
      stream.pump(QUANTUM_BYTES);
    }
  }
}

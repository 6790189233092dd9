import type { HeaderList } from "../../http/types.ts";
import { SEND_BUFFER_BYTES } from "../limits.ts";
import { H2_ERROR, type ResponseHead, type StreamHandler, type TransportStream } from "../transport.ts";
import type { ReceiveWindows } from "./receive-windows.ts";
import type { SendTurns } from "./send-turns.ts";

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly turns: SendTurns;
  readonly windows: ReceiveWindows;
  /** @returns false when the stream was reset because its head cannot be sent */
  sendResponse(stream: H2Stream, head: ResponseHead, endStream: boolean): boolean;
  /** @returns false when the stream was reset because its trailers cannot be sent */
  sendTrailers(stream: H2Stream, trailers: HeaderList): boolean;
  /** Ends a stream with RST_STREAM; with `quietly` its handler hears of it after the caller has returned. */
  resetStream(stream: H2Stream, code: number, quietly: boolean): void;
  finishStream(stream: H2Stream, code: number): void;
}

/**
 * One stream of a connection of ours. What it sends waits in its queue until both windows and the socket have room; what
 * comes while it is held waits as well, and the peer gets no new credit for it.
 */
export class H2Stream implements TransportStream {
  /** 0 until a client's stream is opened on the wire. */
  id: number;
  handler: StreamHandler;
  /** Bytes the peer lets us send; negative after it made its window smaller. */
  sendWindow: number;
  /** Bytes the peer may still send. */
  receiveWindow: number;
  /** Taken by the handler and not yet given back to the peer. */
  consumed = 0;
  /** Of the body, by the head; -1: it did not say. */
  contentLength = -1;
  received = 0;
  /** Server only: the tick of the connection in which it came. */
  openedAtTick = 0;
  /** Server only: how long the header block was that opened it. */
  headBytes = 0;
  headReceived = false;
  remoteEnded = false;
  closed = false;
  /** Waits in the connection's list of streams that can send. */
  scheduled = false;
  queuedBytes = 0;
  /** The link of the connection's table. */
  nextInSlot: H2Stream | undefined = undefined;
  localEnded = false;
  private connection: StreamOwner;
  private readonly queue: Uint8Array[] = [];
  private queueAt = 0;
  private endQueued = false;
  private trailers: HeaderList | undefined = undefined;
  /** The peer's, while data that came before them is held. */
  private heldTrailers: HeaderList | undefined = undefined;
  private responded = false;
  private wantsDrain = false;
  private held = false;
  private heldChunks: Buffer[] | undefined = undefined;
  /** Small chunks that are held are put together here, the first `heldTailBytes` bytes of it so far. */
  private heldTail: Buffer = NO_TAIL;
  private heldTailBytes = 0;
  private endTold = false;
  private delivering = false;
  private resetWhenSent = false;
  /** What is queued has no end of its own: the reset is its end. */
  private cutShort = false;

  constructor(connection: StreamOwner, id: number, handler: StreamHandler, sendWindow: number, receiveWindow: number) {
    this.connection = connection;
    this.id = id;
    this.handler = handler;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }

  respond(head: ResponseHead, endStream: boolean): void {
    if (this.closed || this.responded) return;
    this.responded = true;
    if (endStream) this.endQueued = true;
    if (!this.connection.sendResponse(this, head, endStream)) return;
    if (endStream) this.endSent();
  }

  send(data: Uint8Array, endStream: boolean): boolean {
    if (this.closed || this.endQueued) return true;
    const { length } = data;
    this.endQueued = endStream;
    if (
      this.queuedBytes === 0 &&
      this.queue.length === 0 &&
      this.id !== 0 &&
      this.connection.turns.canSend(this, length)
    ) {
      this.connection.turns.write(this, data, 0, length, endStream);
      if (endStream) this.endSent();
      return true;
    }
    if (length > 0) {
      this.queue.push(data);
      this.queuedBytes += length;
      this.connection.turns.countQueued(length);
    }
    this.connection.turns.schedule(this);
    if (this.queuedBytes < SEND_BUFFER_BYTES) return true;
    this.wantsDrain = true;
    return false;
  }

  sendTrailers(trailers: HeaderList): void {
    if (this.closed || this.endQueued) return;
    this.endQueued = true;
    if (this.queue.length === 0) {
      this.writeTrailers(trailers);
      return;
    }
    this.trailers = trailers;
    this.connection.turns.schedule(this);
  }

  reset(code: number): void {
    if (this.closed) return;
    if (code === H2_ERROR.noError && this.queue.length > 0) {
      // What was sent before a reset that is no error still goes out, its end included if it has one.
      this.resetWhenSent = true;
      this.cutShort = !this.endQueued;
      this.endQueued = true;
      return;
    }
    this.connection.resetStream(this, code, true);
  }

  hold(): void {
    this.held = true;
  }

  resume(): void {
    if (!this.held) return;
    this.held = false;
    if (!this.delivering) this.deliver();
  }

  /** Sends what the windows allow, at most `quantum` bytes. @returns whether there is more that could go at once */
  pump(quantum: number): boolean {
    let left = quantum;
    while (this.queueAt < this.queue.length && left > 0) {
      const data = this.queue[this.queueAt] as Uint8Array;
      const room = Math.min(this.connection.turns.roomFor(this), left);
      if (room <= 0) return false;
      const whole = data.length <= room;
      const length = whole ? data.length : room;
      const last = whole && this.queueAt + 1 === this.queue.length;
      const end = last && this.endQueued && this.trailers === undefined && !this.cutShort;
      this.connection.turns.write(this, data, 0, length, end);
      left -= length;
      this.queuedBytes -= length;
      this.connection.turns.countQueued(-length);
      if (whole) this.queueAt += 1;
      else this.queue[this.queueAt] = data.subarray(length);
      if (end) this.localEnded = true;
    }
    if (this.queueAt < this.queue.length) return true;
    this.queue.length = 0;
    this.queueAt = 0;
    this.sent();
    return false;
  }

  /** Another connection opens the stream, which this one has not begun. */
  moveTo(connection: StreamOwner): void {
    this.connection.turns.countQueued(-this.queuedBytes);
    connection.turns.countQueued(this.queuedBytes);
    this.connection = connection;
  }

  /** A chunk from the peer. */
  gotData(chunk: Buffer): void {
    if (this.held || this.heldChunks !== undefined) {
      this.heldChunks ??= [];
      this.keep(this.heldChunks, chunk);
      this.connection.windows.hold(chunk.length);
      return;
    }
    this.connection.windows.creditConnection(chunk.length);
    this.connection.windows.creditStream(this, chunk.length);
    this.handler.onData(chunk);
  }

  gotTrailers(trailers: HeaderList): void {
    if (this.heldChunks === undefined) this.handler.onTrailers?.(trailers);
    else this.heldTrailers = trailers;
  }

  gotEnd(): void {
    this.remoteEnded = true;
    if (this.heldChunks === undefined) this.tellEnd();
  }

  /** The stream is over. Told once, and last. */
  finish(code: number): void {
    if (this.closed) return;
    if (this.headReceived && this.remoteEnded && !this.endTold) {
      // A whole response is here, only its reader lags: what happens to the stream now does not take it away.
      this.endQueued = true;
      this.localEnded = true;
      this.dropQueue();
      return;
    }
    this.close();
    this.handler.onClose(code);
  }

  /** The same where the handler itself ended it: it hears of that after its call has returned. */
  finishLater(code: number): void {
    if (this.closed) return;
    this.close();
    queueMicrotask(() => this.handler.onClose(code));
  }

  private close(): void {
    this.closed = true;
    this.dropQueue();
    if (this.heldChunks !== undefined) {
      for (const chunk of this.heldChunks) this.connection.windows.release(chunk.length);
      this.heldChunks = undefined;
    }
  }

  private dropQueue(): void {
    this.queue.length = 0;
    this.queueAt = 0;
    this.connection.turns.countQueued(-this.queuedBytes);
    this.queuedBytes = 0;
  }

  /** All that was queued has gone out. */
  private sent(): void {
    if (this.trailers !== undefined) {
      const { trailers } = this;
      this.trailers = undefined;
      this.writeTrailers(trailers);
    } else if (this.endQueued && !this.cutShort) {
      if (!this.localEnded) this.connection.turns.write(this, EMPTY, 0, 0, true);
      this.endSent();
    }
    if (this.resetWhenSent && !this.closed) this.connection.resetStream(this, H2_ERROR.noError, true);
    if (this.endQueued) return;
    if (!this.wantsDrain) return;
    this.wantsDrain = false;
    this.handler.onDrain?.();
  }

  private writeTrailers(trailers: HeaderList): void {
    if (this.connection.sendTrailers(this, trailers)) this.endSent();
  }

  private endSent(): void {
    this.localEnded = true;
    if (this.endTold) this.connection.finishStream(this, H2_ERROR.noError);
  }

  /**
   * A chunk pins all that was read from the socket together with it, and costs an object of its own: what is held for
   * long is copied, small chunks together, lest a byte hold up a page.
   */
  private keep(chunks: Buffer[], chunk: Buffer): void {
    const { length } = chunk;
    if (length * HELD_PINS_MAX >= chunk.buffer.byteLength) {
      chunks.push(chunk);
      this.heldTailBytes = 0;
      return;
    }
    const end = this.heldTailBytes + length;
    if (this.heldTailBytes > 0 && end <= this.heldTail.length) {
      this.heldTail.set(chunk, this.heldTailBytes);
      this.heldTailBytes = end;
      chunks[chunks.length - 1] = this.heldTail.subarray(0, end);
      return;
    }
    const size = Math.min(this.heldTail.length * 2, HELD_TAIL_BYTES_MAX);
    this.heldTail = Buffer.allocUnsafeSlow(Math.max(size, length, HELD_TAIL_BYTES_MIN));
    this.heldTail.set(chunk);
    this.heldTailBytes = length;
    chunks.push(this.heldTail.subarray(0, length));
  }

  private deliver(): void {
    const chunks = this.heldChunks;
    if (chunks === undefined) return;
    this.delivering = true;
    this.heldTailBytes = 0;
    let at = 0;
    while (at < chunks.length && !this.held && !this.closed) {
      const chunk = chunks[at] as Buffer;
      at += 1;
      this.connection.windows.release(chunk.length);
      this.connection.windows.creditStream(this, chunk.length);
      this.handler.onData(chunk);
    }
    this.delivering = false;
    if (this.closed) return;
    if (at < chunks.length) {
      chunks.splice(0, at);
      return;
    }
    this.heldChunks = undefined;
    if (this.remoteEnded) this.tellEnd();
  }

  private tellEnd(): void {
    if (this.endTold || this.closed) return;
    if (this.heldTrailers !== undefined) this.handler.onTrailers?.(this.heldTrailers);
    if (this.closed) return;
    this.endTold = true;
    this.handler.onEnd();
    if (this.localEnded) this.connection.finishStream(this, H2_ERROR.noError);
  }
}

const EMPTY = new Uint8Array(0);
const NO_TAIL = Buffer.alloc(0);
/** A chunk that is held may pin so many times its own length. */
const HELD_PINS_MAX = 4;
const HELD_TAIL_BYTES_MIN = 1024;
const HELD_TAIL_BYTES_MAX = 16 * 1024;

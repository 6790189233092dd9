import type { HeaderList } from "../../http/types.ts";
import { SEND_BUFFER_BYTES } from "../limits.ts";
import { H2_ERROR, type ResponseHead, type StreamHandler, type TransportStream } from "../transport.ts";
import type { Connection } from "./connection.ts";

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
  headReceived = false;
  remoteEnded = false;
  closed = false;
  /** Waits in the connection's list of streams that can send. */
  scheduled = false;
  queuedBytes = 0;
  localEnded = false;
  private readonly connection: Connection;
  private readonly queue: Uint8Array[] = [];
  private queueAt = 0;
  private endQueued = false;
  private trailers: HeaderList | undefined = undefined;
  private responded = false;
  private wantsDrain = false;
  private held = false;
  private heldChunks: Buffer[] | undefined = undefined;
  private endTold = false;
  private delivering = false;
  private resetWhenSent = false;

  constructor(connection: Connection, id: number, handler: StreamHandler, sendWindow: number, receiveWindow: number) {
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
    if (this.queuedBytes === 0 && this.queue.length === 0 && this.id !== 0 && this.connection.canSend(this, length)) {
      this.connection.writeData(this, data, 0, length, endStream);
      if (endStream) this.endSent();
      return true;
    }
    if (length > 0) {
      this.queue.push(data);
      this.queuedBytes += length;
    }
    this.connection.scheduleStream(this);
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
    this.connection.scheduleStream(this);
  }

  reset(code: number): void {
    if (this.closed) return;
    if (code === H2_ERROR.noError && this.queue.length > 0) {
      // What was sent before a reset that is no error still goes out.
      this.resetWhenSent = true;
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
      const room = Math.min(this.connection.roomFor(this), left);
      if (room <= 0) return false;
      const whole = data.length <= room;
      const length = whole ? data.length : room;
      const last = whole && this.queueAt + 1 === this.queue.length;
      const end = last && this.endQueued && this.trailers === undefined && !this.resetWhenSent;
      this.connection.writeData(this, data, 0, length, end);
      left -= length;
      this.queuedBytes -= length;
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

  /** A chunk from the peer. */
  gotData(chunk: Buffer): void {
    if (this.held || this.heldChunks !== undefined) {
      this.heldChunks ??= [];
      this.heldChunks.push(chunk);
      this.connection.hold(chunk.length);
      return;
    }
    this.connection.creditConnection(chunk.length);
    this.connection.creditStream(this, chunk.length);
    this.handler.onData(chunk);
  }

  gotEnd(): void {
    this.remoteEnded = true;
    if (this.heldChunks === undefined) this.tellEnd();
  }

  /** The stream is over. Told once, and last. */
  finish(code: number): void {
    if (this.closed) return;
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
    this.queue.length = 0;
    this.queuedBytes = 0;
    if (this.heldChunks !== undefined) {
      for (const chunk of this.heldChunks) this.connection.release(chunk.length);
      this.heldChunks = undefined;
    }
  }

  /** All that was queued has gone out. */
  private sent(): void {
    if (this.resetWhenSent) {
      this.connection.resetStream(this, H2_ERROR.noError, true);
      return;
    }
    if (this.trailers !== undefined) {
      const { trailers } = this;
      this.trailers = undefined;
      this.writeTrailers(trailers);
      return;
    }
    if (this.endQueued) {
      if (!this.localEnded) this.connection.writeData(this, EMPTY, 0, 0, true);
      this.endSent();
      return;
    }
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

  private deliver(): void {
    const chunks = this.heldChunks;
    if (chunks === undefined) return;
    this.delivering = true;
    let at = 0;
    while (at < chunks.length && !this.held && !this.closed) {
      const chunk = chunks[at] as Buffer;
      at += 1;
      this.connection.release(chunk.length);
      this.connection.creditStream(this, chunk.length);
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
    this.endTold = true;
    this.handler.onEnd();
    if (this.localEnded) this.connection.finishStream(this, H2_ERROR.noError);
  }
}

const EMPTY = new Uint8Array(0);

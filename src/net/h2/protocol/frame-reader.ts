import { H2_ERROR } from "../transport.ts";
import { ConnectionError } from "./errors.ts";
import { FLAG, FRAME, FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES } from "./frames.ts";

/** What a connection makes of frames. All of it may throw `ConnectionError`. */
export interface FrameHandler {
  /** A DATA frame begins; `length` counts its padding, as flow control does. */
  onDataStart(id: number, length: number): void;
  /** Part of its payload, without padding; the bytes may be kept. */
  onDataChunk(id: number, chunk: Buffer): void;
  onDataEnd(id: number, endStream: boolean): void;
  /** Any other frame, with its whole payload, which must not be kept. */
  onFrame(type: number, flags: number, id: number, payload: Buffer, start: number, end: number): void;
}

/** Waits for a frame's header, for the byte that says how long the padding is, for DATA, for padding, for a whole payload. */
const STATE = { header: 0, padLength: 1, data: 2, padding: 3, payload: 4 } as const;

/**
 * Cuts a connection's bytes into frames, however they arrive. DATA is handed on as it comes, without copies; of other
 * frames at most one payload of 16 KiB is put together.
 */
export class FrameReader {
  private readonly handler: FrameHandler;
  private state: number = STATE.header;
  private length = 0;
  private type = 0;
  private flags = 0;
  private id = 0;
  private padding = 0;
  /** Bytes of the current part that are still to come. */
  private missing = 0;
  /** A header or payload of which only the first `have` bytes have come. */
  private partial: Buffer = EMPTY;
  private have = 0;
  private begun = 0;

  constructor(handler: FrameHandler) {
    this.handler = handler;
  }

  /** The number of the frame, DATA apart, that has come in part; 0 between frames. */
  get unfinished(): number {
    if (this.state === STATE.payload) return this.begun;
    return this.state === STATE.header && this.have > 0 ? this.begun + 1 : 0;
  }

  /** @throws ConnectionError when the bytes break the protocol; the reader cannot go on then */
  push(chunk: Buffer): void {
    const end = chunk.length;
    let at = 0;
    while (at < end || (this.missing === 0 && this.state !== STATE.header)) {
      switch (this.state) {
        case STATE.header:
          at = this.readHeader(chunk, at, end);
          break;
        case STATE.padLength:
          if (at >= end) return;
          this.readPadLength(chunk[at] as number);
          at += 1;
          break;
        case STATE.data:
          at = this.readData(chunk, at, end);
          break;
        case STATE.padding: {
          const part = Math.min(this.missing, end - at);
          at += part;
          this.missing -= part;
          if (this.missing === 0) this.endData();
          break;
        }
        default:
          at = this.readPayload(chunk, at, end);
      }
    }
  }

  private readHeader(chunk: Buffer, at: number, end: number): number {
    if (this.have === 0 && end - at >= FRAME_HEADER_BYTES) {
      this.begin(chunk, at);
      return at + FRAME_HEADER_BYTES;
    }
    const part = Math.min(FRAME_HEADER_BYTES - this.have, end - at);
    this.makeRoom(FRAME_HEADER_BYTES);
    chunk.copy(this.partial, this.have, at, at + part);
    this.have += part;
    if (this.have === FRAME_HEADER_BYTES) {
      this.have = 0;
      this.begin(this.partial, 0);
    }
    return at + part;
  }

  private begin(bytes: Buffer, at: number): void {
    const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    this.length = length;
    this.type = bytes[at + 3] as number;
    this.flags = bytes[at + 4] as number;
    this.id =
      (((bytes[at + 5] as number) & 0x7f) << 24) |
      ((bytes[at + 6] as number) << 16) |
      ((bytes[at + 7] as number) << 8) |
      (bytes[at + 8] as number);
    if (length > FRAME_PAYLOAD_BYTES) {
      throw new ConnectionError(H2_ERROR.frameSize, `a frame of ${length} bytes, of ${FRAME_PAYLOAD_BYTES} allowed`);
    }
    this.begun += 1;
    this.missing = length;
    if (this.type !== FRAME.data) {
      this.state = STATE.payload;
      return;
    }
    this.handler.onDataStart(this.id, length);
    this.padding = 0;
    if ((this.flags & FLAG.padded) === 0) {
      this.state = STATE.data;
      return;
    }
    if (length === 0) throw new ConnectionError(H2_ERROR.frameSize, "a padded frame without room for its padding");
    this.state = STATE.padLength;
  }

  private readPadLength(padding: number): void {
    if (padding >= this.length) throw new ConnectionError(H2_ERROR.protocol, "padding as long as its frame");
    this.padding = padding;
    this.missing = this.length - 1 - padding;
    this.state = STATE.data;
  }

  private readData(chunk: Buffer, at: number, end: number): number {
    const part = Math.min(this.missing, end - at);
    if (part > 0) {
      this.missing -= part;
      this.handler.onDataChunk(this.id, part === end ? chunk : chunk.subarray(at, at + part));
    }
    if (this.missing === 0) {
      this.missing = this.padding;
      if (this.padding > 0) this.state = STATE.padding;
      else this.endData();
    }
    return at + part;
  }

  private endData(): void {
    this.state = STATE.header;
    this.handler.onDataEnd(this.id, (this.flags & FLAG.endStream) !== 0);
  }

  private readPayload(chunk: Buffer, at: number, end: number): number {
    if (this.have === 0 && end - at >= this.length) {
      this.state = STATE.header;
      this.missing = 0;
      this.handler.onFrame(this.type, this.flags, this.id, chunk, at, at + this.length);
      return at + this.length;
    }
    const part = Math.min(this.missing, end - at);
    this.makeRoom(this.length);
    chunk.copy(this.partial, this.have, at, at + part);
    this.have += part;
    this.missing -= part;
    if (this.missing === 0) {
      this.state = STATE.header;
      this.have = 0;
      this.handler.onFrame(this.type, this.flags, this.id, this.partial, 0, this.length);
    }
    return at + part;
  }

  /** Most connections never cut a frame that is not DATA: those that do keep the largest buffer they needed. */
  private makeRoom(bytes: number): void {
    if (this.partial.length >= bytes) return;
    this.partial = Buffer.allocUnsafeSlow(bytes <= SMALL_PAYLOAD_BYTES ? SMALL_PAYLOAD_BYTES : FRAME_PAYLOAD_BYTES);
  }
}

const SMALL_PAYLOAD_BYTES = 256;
const EMPTY = Buffer.alloc(0);

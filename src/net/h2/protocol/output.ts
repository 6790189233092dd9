import type { Socket } from "node:net";
import { FRAME_HEADER_BYTES } from "./frames.ts";

/** Small frames are put together in chunks: small ones first, since most connections are quiet, then larger ones. */
const CHUNK_BYTES_MIN = 1024;
const CHUNK_BYTES_MAX = 32 * 1024;
/** What is left of a chunk is not worth beginning with. */
const CHUNK_REST_BYTES_MIN = 256;
/** Payloads up to this are copied, larger ones are handed to the socket as they are. */
const COPIED_BYTES_MAX = 4096;
/** So much is written without waiting for the end of the turn. */
const EAGER_BYTES = 64 * 1024;

/** The frames that go out on one connection, put together and written once in each turn of the event loop. */
export class Output {
  /** The socket has enough for now: DATA waits in its streams until `onRoom`. */
  full = false;
  private readonly socket: Socket;
  private readonly onRoom: () => void;
  private chunk: Buffer = EMPTY;
  /** Where in the chunk what is not yet written begins and ends. */
  private from = 0;
  private to = 0;
  private readonly ready: Buffer[] = [];
  private readyBytes = 0;
  private scheduled = false;
  private chunkBytes = CHUNK_BYTES_MIN;
  private readonly flushLater = (): void => {
    this.scheduled = false;
    this.flush();
  };

  constructor(socket: Socket, onRoom: () => void) {
    this.socket = socket;
    this.onRoom = onRoom;
    socket.on("drain", () => {
      this.full = false;
      this.flush();
      if (!this.full) this.onRoom();
    });
  }

  /** Bytes that the socket has not taken yet. */
  get backlogBytes(): number {
    return this.readyBytes + this.to - this.from + this.socket.writableLength;
  }

  frameHeader(length: number, type: number, flags: number, id: number): void {
    const at = this.reserve(FRAME_HEADER_BYTES);
    const { chunk } = this;
    chunk[at] = length >>> 16;
    chunk[at + 1] = length >>> 8;
    chunk[at + 2] = length;
    chunk[at + 3] = type;
    chunk[at + 4] = flags;
    chunk[at + 5] = id >>> 24;
    chunk[at + 6] = id >>> 16;
    chunk[at + 7] = id >>> 8;
    chunk[at + 8] = id;
  }

  uint32(value: number): void {
    const at = this.reserve(4);
    const { chunk } = this;
    chunk[at] = value >>> 24;
    chunk[at + 1] = value >>> 16;
    chunk[at + 2] = value >>> 8;
    chunk[at + 3] = value;
  }

  uint16(value: number): void {
    const at = this.reserve(2);
    this.chunk[at] = value >>> 8;
    this.chunk[at + 1] = value;
  }

  /** Copies part of some bytes. */
  copy(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const at = this.reserve(length);
    if (length <= 32) for (let i = 0; i < length; i += 1) this.chunk[at + i] = bytes[start + i] as number;
    else this.chunk.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), at);
  }

  /** Takes ownership of the bytes. */
  payload(bytes: Uint8Array): void {
    if (bytes.length <= COPIED_BYTES_MAX) {
      this.copy(bytes, 0, bytes.length);
      return;
    }
    this.closeChunkPart();
    this.ready.push(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.readyBytes += bytes.length;
    if (this.readyBytes >= EAGER_BYTES) this.flush();
  }

  /** Has everything written at the end of this turn. */
  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.flushLater);
  }

  flush(): void {
    this.closeChunkPart();
    const { ready, socket } = this;
    if (ready.length === 0 || this.full) return;
    if (socket.destroyed || socket.writableEnded) {
      this.drop();
      return;
    }
    this.readyBytes = 0;
    if (ready.length === 1) {
      this.full = !socket.write(ready[0] as Buffer);
      ready.length = 0;
      return;
    }
    socket.cork();
    for (const part of ready) this.full = !socket.write(part);
    socket.uncork();
    ready.length = 0;
  }

  /** The connection has been quiet: it needs no chunk at hand. */
  rest(): void {
    if (this.from !== this.to) return;
    this.chunk = EMPTY;
    this.from = 0;
    this.to = 0;
    this.chunkBytes = CHUNK_BYTES_MIN;
  }

  /** The same although the socket has enough: nothing is to follow. */
  flushAll(): void {
    this.full = false;
    this.flush();
  }

  drop(): void {
    this.ready.length = 0;
    this.readyBytes = 0;
    this.from = this.to;
  }

  private reserve(bytes: number): number {
    if (this.to + bytes > this.chunk.length) {
      this.closeChunkPart();
      this.chunk = Buffer.allocUnsafeSlow(Math.max(this.chunkBytes, bytes));
      this.chunkBytes = Math.min(this.chunkBytes * 2, CHUNK_BYTES_MAX);
      this.from = 0;
      this.to = 0;
    }
    const at = this.to;
    this.to = at + bytes;
    return at;
  }

  private closeChunkPart(): void {
    const { from, to } = this;
    if (to === from) return;
    this.ready.push(this.chunk.subarray(from, to));
    this.readyBytes += to - from;
    this.from = to;
    if (this.chunk.length - to < CHUNK_REST_BYTES_MIN) {
      this.chunk = EMPTY;
      this.from = 0;
      this.to = 0;
    }
  }
}

const EMPTY = Buffer.alloc(0);

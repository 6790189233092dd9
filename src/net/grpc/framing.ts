import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { COPY_BYTES_MAX, REASSEMBLY_BYTES_MIN } from "./limits.ts";
import { GrpcError } from "./status.ts";

/** Bytes before each message: one flag, four of length, big endian (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export const PREFIX_BYTES = 5;

const EMPTY = new Uint8Array(0);

/**
 * Cuts a stream of bytes into messages, wherever the chunks were cut. A message inside one chunk is a view of it; another
 * is put together in a buffer that grows as its bytes arrive, so that a prefix alone costs nothing.
 */
export class FrameReader {
  /** Whether the message that `next` gave last was compressed. */
  compressed = false;
  private readonly messageBytesMax: number;
  private chunks: Uint8Array[] | undefined = undefined;
  private chunk: Uint8Array = EMPTY;
  private offset = 0;
  private prefix: Uint8Array = EMPTY;
  private prefixLength = 0;
  private messageLength = -1;
  private partial: Uint8Array | undefined = undefined;
  private partialLength = 0;

  constructor(messageBytesMax: number) {
    this.messageBytesMax = messageBytesMax;
  }

  /** Hands over a chunk; call `next` until it answers undefined. */
  push(chunk: Uint8Array): void {
    if (this.offset === this.chunk.length) {
      this.chunk = chunk;
      this.offset = 0;
    } else (this.chunks ??= []).push(chunk);
  }

  /** True when the bytes so far end between two messages. */
  get atBoundary(): boolean {
    return (
      this.prefixLength === 0 &&
      this.messageLength < 0 &&
      this.offset === this.chunk.length &&
      (this.chunks === undefined || this.chunks.length === 0)
    );
  }

  /**
   * The next whole message, undefined when more bytes are needed.
   * @throws GrpcError RESOURCE_EXHAUSTED for a message over the limit, INTERNAL for an unknown flag
   */
  next(): Uint8Array | undefined {
    for (;;) {
      const message = this.messageLength < 0 ? this.readPrefix() : this.readMessage();
      if (message !== undefined) return message;
      if (this.offset < this.chunk.length) continue;
      const following = this.chunks?.shift();
      if (following === undefined) return undefined;
      this.chunk = following;
      this.offset = 0;
    }
  }

  private readPrefix(): Uint8Array | undefined {
    const { chunk } = this;
    let at = this.offset;
    let prefix = chunk;
    if (this.prefixLength === 0 && chunk.length - at >= PREFIX_BYTES) {
      this.offset = at + PREFIX_BYTES;
    } else {
      if (this.prefixLength === 0) this.prefix = new Uint8Array(PREFIX_BYTES);
      while (this.prefixLength < PREFIX_BYTES && at < chunk.length)
        this.prefix[this.prefixLength++] = chunk[at++] as number;
      this.offset = at;
      if (this.prefixLength < PREFIX_BYTES) return undefined;
      prefix = this.prefix;
      at = 0;
      this.prefixLength = 0;
    }
    const flag = prefix[at] as number;
    const length =
      (prefix[at + 1] as number) * 0x1000000 +
      (((prefix[at + 2] as number) << 16) | ((prefix[at + 3] as number) << 8) | (prefix[at + 4] as number));
    if (flag > 1) throw new GrpcError(GRPC_STATUS.INTERNAL, `grpc: received unexpected payload format ${flag}`);
    if (length > this.messageBytesMax) {
      throw new GrpcError(
        GRPC_STATUS.RESOURCE_EXHAUSTED,
        `grpc: received message larger than max (${length} vs. ${this.messageBytesMax})`,
      );
    }
    this.compressed = flag === 1;
    this.messageLength = length;
    return this.readMessage();
  }

  private readMessage(): Uint8Array | undefined {
    const length = this.messageLength;
    const { chunk, offset } = this;
    const available = chunk.length - offset;
    if (this.partial === undefined) {
      if (available >= length) {
        this.offset = offset + length;
        this.messageLength = -1;
        return length === 0 ? EMPTY : chunk.subarray(offset, offset + length);
      }
      if (available === 0) return undefined;
      this.partial = Buffer.allocUnsafeSlow(Math.min(length, Math.max(available * 2, REASSEMBLY_BYTES_MIN)));
      this.partialLength = 0;
    }
    const taken = Math.min(available, length - this.partialLength);
    const partial = this.roomFor(this.partialLength + taken, length);
    partial.set(chunk.subarray(offset, offset + taken), this.partialLength);
    this.partialLength += taken;
    this.offset = offset + taken;
    if (this.partialLength < length) return undefined;
    this.partial = undefined;
    this.messageLength = -1;
    return partial.length === length ? partial : partial.subarray(0, length);
  }

  private roomFor(size: number, length: number): Uint8Array {
    const partial = this.partial as Uint8Array;
    if (size <= partial.length) return partial;
    const larger = Buffer.allocUnsafeSlow(Math.min(length, Math.max(size, partial.length * 2)));
    larger.set(partial.subarray(0, this.partialLength));
    this.partial = larger;
    return larger;
  }
}

/** The prefix of a message of a length. */
export function framePrefix(length: number, compressed = false): Uint8Array {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(length, 1);
  return prefix;
}

/** A small message behind its prefix; undefined for one that is better sent as two pieces. */
export function frameSmall(message: Uint8Array, compressed = false): Uint8Array | undefined {
  const length = message.length;
  if (length > COPY_BYTES_MAX) return undefined;
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + length);
  frame[0] = compressed ? 1 : 0;
  frame[1] = length >>> 24;
  frame[2] = length >>> 16;
  frame[3] = length >>> 8;
  frame[4] = length;
  frame.set(message, PREFIX_BYTES);
  return frame;
}

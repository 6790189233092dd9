import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { PREFIX_BYTES } from "./framing.ts";
import { GrpcError } from "./status.ts";

/** Follows the messages in a stream of bytes that is passed on: it reads their prefixes and copies nothing. */
export class FrameScanner {
  /** Messages that have begun. */
  messages = 0;
  bytes = 0;
  private readonly messageBytesMax: number;
  /** Of the current message, still to come. */
  private left = 0;
  /** Of its prefix, when a chunk ended within it. */
  private prefixBytes = 0;
  private length = 0;

  constructor(messageBytesMax: number) {
    this.messageBytesMax = messageBytesMax;
  }

  /** The bytes so far end between two messages. */
  get atBoundary(): boolean {
    return this.left === 0 && this.prefixBytes === 0;
  }

  /** @throws GrpcError RESOURCE_EXHAUSTED for a message over the limit, INTERNAL for an unknown flag */
  scan(chunk: Uint8Array): void {
    const end = chunk.length;
    this.bytes += end;
    let at = 0;
    while (at < end) {
      const { left } = this;
      if (left > 0) {
        const step = Math.min(left, end - at);
        this.left = left - step;
        at += step;
      } else {
        this.readPrefixByte(chunk[at] as number);
        at += 1;
      }
    }
  }

  private readPrefixByte(byte: number): void {
    if (this.prefixBytes === 0) {
      if (byte > 1) throw new GrpcError(GRPC_STATUS.INTERNAL, `grpc: received unexpected payload format ${byte}`);
      this.length = 0;
      this.messages += 1;
    } else {
      this.length = this.length * 0x100 + byte;
    }
    this.prefixBytes += 1;
    if (this.prefixBytes < PREFIX_BYTES) return;
    this.prefixBytes = 0;
    this.left = this.length;
    if (this.length > this.messageBytesMax) {
      throw new GrpcError(
        GRPC_STATUS.RESOURCE_EXHAUSTED,
        `grpc: received message larger than max (${this.length} vs. ${this.messageBytesMax})`,
      );
    }
  }
}

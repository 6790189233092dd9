import type { RedisReply } from "./client.ts";

/** A bulk string or status line as text; undefined for a reply that is none. */
export function replyText(reply: RedisReply | undefined): string | undefined {
  if (typeof reply === "string") {
    return reply;
  }
  return Buffer.isBuffer(reply) ? reply.toString() : undefined;
}

/** The elements of an array reply, none for any other. */
export function replyList(reply: RedisReply | undefined): readonly RedisReply[] {
  return Array.isArray(reply) ? reply : [];
}

/** An integer reply; 0 for any other. */
export function replyNumber(reply: RedisReply | undefined): number {
  return typeof reply === "number" ? reply : 0;
}

/** Bytes for a command without copying them. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

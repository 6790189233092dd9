import type { TransportStream } from "../h2/transport.ts";
import { framePrefix, frameSmall } from "./framing.ts";
import { appendMetadata, type HeaderMetadata } from "./metadata.ts";
import { appendStatus } from "./status.ts";
import type { GrpcStatus, Metadata } from "./types.ts";

/** Sends one message behind its prefix. @returns false when the stream wants no more until `onDrain` */
export function sendFramed(stream: TransportStream, message: Uint8Array, endStream: boolean): boolean {
  const frame = frameSmall(message);
  if (frame !== undefined) return stream.send(frame, endStream);
  stream.send(framePrefix(message.length), false);
  return stream.send(message, endStream);
}

/** The outgoing half of a server's call: head, messages, trailers, each at the right time. */
export class ResponseSender {
  headers: HeaderMetadata | undefined;
  trailers: HeaderMetadata | undefined;
  bytes = 0;
  private readonly stream: TransportStream;
  private readonly contentType: string;
  private headSent = false;
  private over = false;
  private waiting: (() => void) | undefined;

  constructor(stream: TransportStream, contentType: string) {
    this.stream = stream;
    this.contentType = contentType;
  }

  sendHead(): void {
    if (this.headSent || this.over) return;
    this.headSent = true;
    const headers = ["content-type", this.contentType];
    if (this.headers !== undefined) appendMetadata(this.headers, headers);
    this.stream.respond({ status: 200, headers }, false);
  }

  /** @returns false when the caller should await `drained` before the next one */
  sendMessage(message: Uint8Array): boolean {
    if (this.over) return true;
    this.sendHead();
    this.bytes += message.length;
    return sendFramed(this.stream, message, false);
  }

  /** The call's end: trailers, or a single header block when nothing was sent before ("Trailers-Only"). */
  sendStatus(status: GrpcStatus, more: Metadata | undefined): void {
    if (this.over) return;
    if (!this.headSent && this.headers !== undefined && !this.headers.empty) this.sendHead();
    this.over = true;
    const list = this.headSent ? [] : ["content-type", this.contentType];
    appendStatus(status, list);
    if (this.trailers !== undefined) appendMetadata(this.trailers, list);
    if (more !== undefined && more !== this.trailers) appendMetadata(more, list);
    if (this.headSent) this.stream.sendTrailers(list);
    else this.stream.respond({ status: 200, headers: list }, true);
  }

  /** Resolves when there is room again or the stream is over. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.over) resolve();
      else this.waiting = resolve;
    });
  }

  onDrain(): void {
    const resolve = this.waiting;
    this.waiting = undefined;
    resolve?.();
  }

  /** The stream is gone: what is still sent is dropped. */
  close(): void {
    this.over = true;
    this.onDrain();
  }
}

import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { H2_ERROR, type ResponseHead, type TransportStream } from "../h2/transport.ts";
import type { HeaderList } from "../http/types.ts";
import { gzipMessage } from "./compress.ts";
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

/** The same on a call whose messages may be gzip, each for itself. */
export function sendCompressed(stream: TransportStream, message: Uint8Array, endStream: boolean): boolean {
  const gzip = gzipMessage(message);
  if (gzip === undefined) return sendFramed(stream, message, endStream);
  const frame = frameSmall(gzip, true);
  if (frame !== undefined) return stream.send(frame, endStream);
  stream.send(framePrefix(gzip.length, true), false);
  return stream.send(gzip, endStream);
}

/** What nearly all calls answer; the transport knows a list that it has encoded before by its identity. */
const TRAILERS_OK: HeaderList = ["grpc-status", "0"];
const PLAIN_HEAD: ResponseHead = { status: 200, headers: ["content-type", "application/grpc"] };
const PROTO_HEAD: ResponseHead = { status: 200, headers: ["content-type", "application/grpc+proto"] };

/** The outgoing half of a server's call: head, messages, trailers, each at the right time. */
export class ResponseSender {
  headers: HeaderMetadata | undefined = undefined;
  trailers: HeaderMetadata | undefined = undefined;
  bytes = 0;
  private readonly stream: TransportStream;
  private readonly contentType: string;
  /** Messages that are worth it are sent as the caller sends its own. */
  private readonly gzip: boolean;
  headSent = false;
  private over = false;
  private waiting: (() => void) | undefined = undefined;

  constructor(stream: TransportStream, contentType: string, encoding: string | undefined) {
    this.stream = stream;
    this.contentType = contentType;
    this.gzip = encoding === "gzip";
  }

  sendHead(): void {
    if (this.headSent || this.over) return;
    this.headSent = true;
    this.stream.respond(this.head(), false);
  }

  private head(): ResponseHead {
    const { contentType, headers } = this;
    if (!this.gzip && (headers === undefined || headers.empty)) {
      if (contentType === "application/grpc") return PLAIN_HEAD;
      if (contentType === "application/grpc+proto") return PROTO_HEAD;
    }
    const list = ["content-type", contentType];
    if (this.gzip) list.push("grpc-encoding", "gzip");
    if (headers !== undefined) appendMetadata(headers, list);
    return { status: 200, headers: list };
  }

  /** @returns false when the caller should await `drained` before the next one */
  sendMessage(message: Uint8Array): boolean {
    if (this.over) return true;
    this.sendHead();
    this.bytes += message.length;
    return this.gzip ? sendCompressed(this.stream, message, false) : sendFramed(this.stream, message, false);
  }

  /** Passes on the head of somebody else's answer. */
  relayHead(headers: HeaderList): void {
    if (this.headSent || this.over) return;
    this.headSent = true;
    this.stream.respond({ status: 200, headers: this.withOwn(headers, this.headers) }, false);
  }

  /** Passes on bytes of its messages, behind its head. @returns false when no more is wanted until `onDrain` */
  relayData(chunk: Uint8Array): boolean {
    if (this.over) return true;
    this.bytes += chunk.length;
    return this.stream.send(chunk, false);
  }

  /** Passes on its end: its trailers, or all of it when no head was passed on. */
  relayEnd(trailers: HeaderList, requestOpen: boolean): void {
    if (this.over) return;
    this.over = true;
    const list = this.withOwn(trailers, this.trailers);
    if (this.headSent) this.stream.sendTrailers(list);
    else this.stream.respond({ status: 200, headers: this.withOwn(list, this.headers) }, true);
    if (requestOpen) this.stream.reset(H2_ERROR.noError);
  }

  private withOwn(headers: HeaderList, own: HeaderMetadata | undefined): HeaderList {
    if (own === undefined || own.empty) return headers;
    const list = headers.slice();
    appendMetadata(own, list);
    return list;
  }

  /**
   * The call's end: trailers, or a single header block when nothing was sent before ("Trailers-Only"). With `requestOpen`
   * the caller is told to send no more, as grpc-go does.
   */
  sendStatus(status: GrpcStatus, more: Metadata | undefined, requestOpen: boolean): void {
    if (this.over) return;
    if (!this.headSent && this.headers !== undefined && !this.headers.empty) this.sendHead();
    this.over = true;
    if (this.headSent) this.stream.sendTrailers(this.trailersOf(status, more));
    else {
      const headers = ["content-type", this.contentType];
      this.appendTrailers(status, more, headers);
      this.stream.respond({ status: 200, headers }, true);
    }
    if (requestOpen) this.stream.reset(H2_ERROR.noError);
  }

  private trailersOf(status: GrpcStatus, more: Metadata | undefined): HeaderList {
    const bare = (this.trailers === undefined || this.trailers.empty) && more === undefined;
    if (bare && status.code === GRPC_STATUS.OK && status.message === "" && status.detailsBin === undefined) {
      return TRAILERS_OK;
    }
    const list: string[] = [];
    this.appendTrailers(status, more, list);
    return list;
  }

  private appendTrailers(status: GrpcStatus, more: Metadata | undefined, list: string[]): void {
    appendStatus(status, list);
    if (this.trailers !== undefined) appendMetadata(this.trailers, list);
    if (more !== undefined && more !== this.trailers) appendMetadata(more, list);
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

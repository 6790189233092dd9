import {
  H2_ERROR,
  type AcceptStream,
  type PeerInfo,
  type RequestHead,
  type StreamHandler,
  type TransportStream,
} from "../h2/transport.ts";
import type { TraceSpan } from "../../kit/trace-context.ts";
import { PullQueue, type QueueSource } from "../pull-queue.ts";
import { BodyTooLargeError, PeerGoneError } from "./errors.ts";
import { answerHeaders, EMPTY_BODY, headersForH2, headerValue, isBodyless, joinChunks, lengthOf } from "./headers.ts";
import { BODY_QUEUE_BYTES } from "./limits.ts";
import type { BodyWriter, HeaderList, HttpExchange, HttpHandler } from "./types.ts";

/** Serves an HTTP door on HTTP/2 streams: give the result to `Transport.createServer`. */
export function acceptHttp(handler: HttpHandler): AcceptStream {
  return (stream, head, peer) => {
    const exchange = new H2Exchange(stream, head, peer);
    queueMicrotask(() => runHandler(handler, exchange));
    return exchange;
  };
}

/** Gives an exchange to its handler; what that throws at once is answered with 500. */
export function runHandler(handler: HttpHandler, exchange: HttpExchange): void {
  try {
    handler(exchange);
  } catch {
    if (!exchange.answered) exchange.respond(500, []);
  }
}

/** An exchange over one HTTP/2 stream (RFC 9113 section 8). */
export class H2Exchange implements HttpExchange, StreamHandler, BodyWriter, QueueSource {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly remoteAddress: string;
  responseBytes = 0;
  responseStatus = 0;
  trace: TraceSpan | undefined = undefined;
  private readonly stream: TransportStream;
  private readonly queue: PullQueue<Uint8Array>;
  private bytesMax = 0;
  private received = 0;
  private ended = false;
  private answerEnded = false;
  private closed = false;
  private abortListener: (() => void) | undefined = undefined;
  private extraHeaders: HeaderList = [];
  private waiting: { resolve(): void; reject(error: Error): void } | undefined = undefined;

  constructor(stream: TransportStream, head: RequestHead, peer: PeerInfo) {
    this.stream = stream;
    this.method = head.method;
    this.target = head.path;
    this.headers = head.authority === "" ? head.headers : ["host", head.authority, ...head.headers];
    this.remoteAddress = peer.remoteAddress;
    this.queue = new PullQueue<Uint8Array>(this, BODY_QUEUE_BYTES);
  }

  get protocol(): "HTTP/2" {
    return "HTTP/2";
  }

  get answered(): boolean {
    return this.responseStatus !== 0;
  }

  get contentLength(): number | undefined {
    const length = lengthOf(this.header("content-length"));
    return length === undefined && this.ended && this.received === 0 ? 0 : length;
  }

  header(name: string): string | undefined {
    return headerValue(this.headers, name);
  }

  async readBody(bytesMax: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.streamBody(bytesMax)) {
      chunks.push(chunk);
      length += chunk.length;
    }
    return joinChunks(chunks, length);
  }

  streamBody(bytesMax: number): AsyncIterable<Uint8Array> {
    this.bytesMax = bytesMax;
    if (bytesMax > 0 && Math.max(this.contentLength ?? 0, this.received) > bytesMax) {
      const refused = new PullQueue<Uint8Array>(this, 0);
      refused.fail(new BodyTooLargeError(bytesMax));
      return refused;
    }
    return this.queue;
  }

  addResponseHeaders(headers: HeaderList): void {
    this.extraHeaders = this.extraHeaders.concat(headers);
  }

  respond(status: number, headers: HeaderList, body?: Uint8Array | string): void {
    this.begin(status);
    const list = headersForH2(answerHeaders(headers, this.extraHeaders, this.trace));
    const bytes = body === undefined ? EMPTY_BODY : typeof body === "string" ? Buffer.from(body) : body;
    if (!isBodyless(status)) list.push("content-length", String(bytes.length));
    const headOnly = bytes.length === 0 || isBodyless(status) || this.method === "HEAD";
    this.answerEnded = true;
    this.stream.respond({ status, headers: list }, headOnly);
    if (!headOnly) {
      this.responseBytes = bytes.length;
      this.stream.send(bytes, true);
    }
    this.dropBody();
  }

  startResponse(status: number, headers: HeaderList): BodyWriter {
    this.begin(status);
    const headOnly = isBodyless(status) || this.method === "HEAD";
    this.answerEnded = headOnly;
    this.stream.respond(
      { status, headers: headersForH2(answerHeaders(headers, this.extraHeaders, this.trace)) },
      headOnly,
    );
    return this;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.closed) return Promise.reject(new PeerGoneError());
    if (this.answerEnded) return undefined;
    this.responseBytes += chunk.length;
    if (this.stream.send(chunk, false)) return undefined;
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  end(): void {
    if (this.answerEnded) return;
    this.answerEnded = true;
    this.stream.send(EMPTY_BODY, true);
    this.dropBody();
  }

  abort(): void {
    this.answerEnded = true;
    this.stream.reset(H2_ERROR.internal);
  }

  onAbort(listener: () => void): void {
    if (this.closed && !this.answerEnded) queueMicrotask(listener);
    else this.abortListener = listener;
  }

  onData(chunk: Uint8Array): void {
    this.received += chunk.length;
    if (this.bytesMax > 0 && this.received > this.bytesMax) this.queue.fail(new BodyTooLargeError(this.bytesMax));
    else if (!this.queue.push(chunk, chunk.length)) this.stream.hold();
  }

  onEnd(): void {
    this.ended = true;
    this.queue.end();
  }

  onDrain(): void {
    this.waiting?.resolve();
    this.waiting = undefined;
  }

  onClose(): void {
    this.closed = true;
    this.queue.fail(new PeerGoneError());
    this.waiting?.reject(new PeerGoneError());
    this.waiting = undefined;
    if (!this.answerEnded) this.abortListener?.();
    this.abortListener = undefined;
  }

  onRoom(): void {
    this.stream.resume();
  }

  onAbandoned(): void {
    this.stream.resume();
  }

  private begin(status: number): void {
    if (this.responseStatus !== 0) throw new Error("the exchange has been answered already");
    this.responseStatus = status;
  }

  /** What nobody reads after the answer is dropped as it comes. */
  private dropBody(): void {
    if (!this.ended) void this.queue.return();
  }
}

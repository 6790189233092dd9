import type { TraceSpan } from "../../kit/trace-context.ts";
import { PullQueue, type QueueSource } from "../pull-queue.ts";
import { BodyTooLargeError, HttpClientError, PeerGoneError } from "./errors.ts";
import { answerHeaders, EMPTY_BODY, headerValue, isBodyless, joinChunks, lengthOf } from "./headers.ts";
import { runHandler } from "./h2-exchange.ts";
import { BODY_QUEUE_BYTES } from "./limits.ts";
import type { BodyWriter, HeaderList, HttpExchange, HttpHandler, HttpRequest, HttpResponse } from "./types.ts";

/**
 * Gives a request to an HTTP door without a socket in between: for the in-process runtime and for tests. The promise
 * settles when the answer begins; a streamed one has an async iterable as its body.
 * @throws HttpClientError with `kind` aborted, timeout or, for an answer cut off before it began, protocol
 */
export function callInProcess(handler: HttpHandler, request: HttpRequest): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const exchange = new InProcessExchange(request, resolve, reject);
    exchange.start();
    if (!exchange.over) runHandler(handler, exchange);
  });
}

class InProcessExchange implements HttpExchange, BodyWriter, QueueSource {
  responseBytes = 0;
  responseStatus = 0;
  trace: TraceSpan | undefined = undefined;
  over = false;
  private readonly request: HttpRequest;
  private readonly resolve: (response: HttpResponse) => void;
  private readonly reject: (error: HttpClientError) => void;
  private readonly queue: PullQueue<Uint8Array>;
  private abortListener: (() => void) | undefined = undefined;
  private room: { resolve(): void; reject(error: Error): void } | undefined = undefined;
  private extraHeaders: HeaderList = [];
  private timer: NodeJS.Timeout | undefined = undefined;
  private onAbortSignal: (() => void) | undefined = undefined;

  constructor(
    request: HttpRequest,
    resolve: (response: HttpResponse) => void,
    reject: (error: HttpClientError) => void,
  ) {
    this.request = request;
    this.resolve = resolve;
    this.reject = reject;
    this.queue = new PullQueue<Uint8Array>(this, BODY_QUEUE_BYTES);
  }

  start(): void {
    const { signal, headTimeoutMs } = this.request;
    if (signal !== undefined) {
      this.onAbortSignal = () => this.giveUp("aborted", "the request was aborted", signal.reason);
      if (signal.aborted) this.onAbortSignal();
      else signal.addEventListener("abort", this.onAbortSignal, { once: true });
    }
    if (!this.over && headTimeoutMs !== undefined && headTimeoutMs > 0) {
      this.timer = setTimeout(
        () => this.giveUp("timeout", `no answer within ${headTimeoutMs} ms`, undefined),
        headTimeoutMs,
      ).unref();
    }
  }

  get method(): string {
    return this.request.method;
  }

  get target(): string {
    return this.request.target;
  }

  get headers(): HeaderList {
    return this.request.headers;
  }

  get protocol(): "HTTP/1.1" {
    return "HTTP/1.1";
  }

  get remoteAddress(): string {
    return "";
  }

  get answered(): boolean {
    return this.responseStatus !== 0;
  }

  get contentLength(): number | undefined {
    const { body } = this.request;
    return body instanceof Uint8Array ? body.length : lengthOf(this.header("content-length"));
  }

  header(name: string): string | undefined {
    return headerValue(this.request.headers, name);
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

  async *streamBody(bytesMax: number): AsyncGenerator<Uint8Array> {
    const { body } = this.request;
    let length = this.contentLength ?? 0;
    if (bytesMax > 0 && length > bytesMax) throw new BodyTooLargeError(bytesMax);
    if (body instanceof Uint8Array) {
      if (body.length > 0) yield body;
      return;
    }
    length = 0;
    for await (const chunk of body) {
      length += chunk.length;
      if (bytesMax > 0 && length > bytesMax) throw new BodyTooLargeError(bytesMax);
      yield chunk;
    }
  }

  addResponseHeaders(headers: HeaderList): void {
    this.extraHeaders = this.extraHeaders.concat(headers);
  }

  respond(status: number, headers: HeaderList, body?: Uint8Array | string): void {
    this.begin(status);
    const bytes = body === undefined ? EMPTY_BODY : typeof body === "string" ? Buffer.from(body) : body;
    const list = answerHeaders(headers, this.extraHeaders, this.trace);
    if (!isBodyless(status)) list.push("content-length", String(bytes.length));
    const sent = isBodyless(status) || this.method === "HEAD" ? EMPTY_BODY : bytes;
    this.responseBytes = sent.length;
    this.finish();
    this.resolve({ status, headers: list, body: sent });
  }

  startResponse(status: number, headers: HeaderList): BodyWriter {
    this.begin(status);
    clearTimeout(this.timer);
    this.resolve({ status, headers: answerHeaders(headers, this.extraHeaders, this.trace), body: this.queue });
    return this;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (!this.queue.open) return Promise.reject(new PeerGoneError());
    this.responseBytes += chunk.length;
    if (this.method === "HEAD" || this.queue.push(chunk, chunk.length)) return undefined;
    return new Promise((resolve, reject) => {
      this.room = { resolve, reject };
    });
  }

  end(): void {
    this.finish();
    this.queue.end();
  }

  abort(): void {
    if (this.over) return;
    this.finish();
    const error = new HttpClientError("protocol", `${this.method} ${this.target}: the answer was cut off`);
    this.queue.fail(error);
    this.reject(error);
  }

  onAbort(listener: () => void): void {
    this.abortListener = listener;
  }

  onRoom(): void {
    this.room?.resolve();
    this.room = undefined;
  }

  onAbandoned(): void {
    this.giveUp("aborted", "the body was given up", undefined);
  }

  private begin(status: number): void {
    if (this.responseStatus !== 0) throw new Error("the exchange has been answered already");
    this.responseStatus = status;
  }

  private finish(): void {
    this.over = true;
    clearTimeout(this.timer);
    if (this.onAbortSignal !== undefined) this.request.signal?.removeEventListener("abort", this.onAbortSignal);
  }

  private giveUp(kind: HttpClientError["kind"], message: string, cause: unknown): void {
    if (this.over) return;
    this.finish();
    const error = new HttpClientError(kind, `${this.method} ${this.target}: ${message}`, cause);
    this.queue.fail(error);
    this.reject(error);
    this.room?.reject(new PeerGoneError());
    this.abortListener?.();
  }
}

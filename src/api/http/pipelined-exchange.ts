import type { MiddlewareRequest } from "../../components/spi/middleware.ts";
import type { TraceSpan } from "../../kit/trace-context.ts";
import { BodyTooLargeError, PeerGoneError } from "../../net/http/errors.ts";
import { EMPTY_BODY, headerValue, joinChunks } from "../../net/http/headers.ts";
import { BODY_QUEUE_BYTES } from "../../net/http/limits.ts";
import type { BodyWriter, HeaderList, HttpExchange, HttpResponse } from "../../net/http/types.ts";
import { PullQueue, type QueueSource } from "../../net/pull-queue.ts";

/**
 * What the routes behind a pipeline see: the request as the last middleware passed it on. What they answer goes back through
 * the pipeline instead of to the caller.
 */
export class PipelinedExchange implements HttpExchange, BodyWriter, QueueSource {
  responseBytes = 0;
  responseStatus = 0;
  readonly #outer: HttpExchange;
  readonly #request: MiddlewareRequest;
  /** No middleware has put another body in place of the caller's. */
  readonly #ownBody: boolean;
  readonly #answer = Promise.withResolvers<HttpResponse>();
  #queue: PullQueue<Uint8Array> | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  #extraHeaders: HeaderList = [];
  #onAbort: (() => void) | undefined;
  #isGone = false;

  constructor(outer: HttpExchange, request: MiddlewareRequest, ownBody: boolean) {
    this.#outer = outer;
    this.#request = request;
    this.#ownBody = ownBody;
    // A middleware that has answered by itself may wait for it no longer.
    this.#answer.promise.catch(() => undefined);
  }

  /** Settles when the answer begins. */
  get response(): Promise<HttpResponse> {
    return this.#answer.promise;
  }

  get method(): string {
    return this.#request.method;
  }

  get trace(): TraceSpan | undefined {
    return this.#outer.trace;
  }

  get target(): string {
    return this.#request.target;
  }

  get headers(): HeaderList {
    return this.#request.headers;
  }

  get protocol(): "HTTP/1.1" | "HTTP/2" {
    return this.#outer.protocol;
  }

  get remoteAddress(): string {
    return this.#outer.remoteAddress;
  }

  get answered(): boolean {
    return this.responseStatus !== 0;
  }

  get contentLength(): number | undefined {
    const { body } = this.#request;
    if (this.#ownBody) {
      return this.#outer.contentLength;
    }
    return body instanceof Uint8Array ? body.byteLength : undefined;
  }

  header(name: string): string | undefined {
    return headerValue(this.#request.headers, name);
  }

  async readBody(bytesMax: number): Promise<Uint8Array> {
    if (this.#ownBody) {
      return await this.#outer.readBody(bytesMax);
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.streamBody(bytesMax)) {
      chunks.push(chunk);
      length += chunk.byteLength;
    }
    return joinChunks(chunks, length);
  }

  streamBody(bytesMax: number): AsyncIterable<Uint8Array> {
    return this.#ownBody ? this.#outer.streamBody(bytesMax) : limitedBody(this.#request.body, bytesMax);
  }

  addResponseHeaders(headers: HeaderList): void {
    this.#extraHeaders = [...this.#extraHeaders, ...headers];
  }

  respond(status: number, headers: HeaderList, body?: Uint8Array | string): void {
    const bytes = body === undefined ? EMPTY_BODY : typeof body === "string" ? Buffer.from(body) : body;
    this.#begin(status);
    this.responseBytes = bytes.byteLength;
    this.#answer.resolve({ status, headers: [...headers, ...this.#extraHeaders], body: bytes });
  }

  startResponse(status: number, headers: HeaderList): BodyWriter {
    this.#begin(status);
    this.#queue = new PullQueue<Uint8Array>(this, BODY_QUEUE_BYTES);
    if (this.#isGone) {
      this.#queue.fail(new PeerGoneError());
    }
    this.#answer.resolve({ status, headers: [...headers, ...this.#extraHeaders], body: this.#queue });
    return this;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    const queue = this.#queue;
    if (queue?.open !== true) {
      return Promise.reject(new PeerGoneError());
    }
    this.responseBytes += chunk.byteLength;
    if (queue.push(chunk, chunk.byteLength)) {
      return undefined;
    }
    this.#room = Promise.withResolvers();
    return this.#room.promise;
  }

  end(): void {
    this.#queue?.end();
  }

  abort(): void {
    this.#queue?.fail(new PeerGoneError());
  }

  onAbort(listener: () => void): void {
    if (this.#isGone) {
      queueMicrotask(listener);
    } else {
      this.#onAbort = listener;
    }
  }

  onRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  onAbandoned(): void {
    this.callerGone();
  }

  /** The caller is not there any more, or a middleware has given the answer's body up. */
  callerGone(): void {
    this.#isGone = true;
    const gone = new PeerGoneError();
    this.#answer.reject(gone);
    this.#queue?.fail(gone);
    this.#room?.reject(gone);
    this.#room = undefined;
    this.#onAbort?.();
    this.#onAbort = undefined;
  }

  /** The caller has its answer, or will get none: what the route still has to say is for nobody. */
  over(): void {
    if (this.#queue === undefined ? !this.answered : this.#queue.open) {
      this.callerGone();
    }
  }

  /** The route has done what it does; an answer that has not begun will not come. */
  routeDone(): void {
    if (!this.answered) {
      this.#answer.reject(new PeerGoneError());
    }
  }

  #begin(status: number): void {
    if (this.responseStatus !== 0) {
      throw new Error("the exchange has been answered already");
    }
    this.responseStatus = status;
  }
}

async function* limitedBody(body: MiddlewareRequest["body"], bytesMax: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    length += chunk.byteLength;
    if (bytesMax > 0 && length > bytesMax) {
      throw new BodyTooLargeError(bytesMax);
    }
    if (chunk.byteLength > 0) {
      yield chunk;
    }
  }
}

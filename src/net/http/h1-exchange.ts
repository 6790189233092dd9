import type { IncomingMessage, ServerResponse } from "node:http";
import type { TraceSpan } from "../../kit/trace-context.ts";
import type { BodyRegister } from "./body-watch.ts";
import { BodyTooLargeError, PeerGoneError } from "./errors.ts";
import { collectBody, destroyUnlessRead, drained, flushHead, H1RequestBody, lingerOnClose } from "./h1-body.ts";
import { answerHeaders, EMPTY_BODY, headerValue, isBodyless, lengthOf } from "./headers.ts";
import { DRAIN_BYTES_MAX } from "./limits.ts";
import type { BodyWriter, HeaderList, HttpExchange } from "./types.ts";

/** What an exchange must know of its listener: whether connections should end after the answer. */
export interface ExchangeOwner {
  readonly closing: boolean;
  readonly bodies: BodyRegister;
}

/** An exchange over `node:http`. It touches neither `req.headers` nor the header map of the response. */
export class H1Exchange implements HttpExchange, BodyWriter {
  responseBytes = 0;
  responseStatus = 0;
  trace: TraceSpan | undefined = undefined;
  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;
  private readonly owner: ExchangeOwner;
  private expectsContinue: boolean;
  private length: number | undefined = -1;
  private bodyTaken = false;
  private extraHeaders: HeaderList | undefined = undefined;

  constructor(request: IncomingMessage, response: ServerResponse, owner: ExchangeOwner, expectsContinue: boolean) {
    this.request = request;
    this.response = response;
    this.owner = owner;
    this.expectsContinue = expectsContinue;
  }

  get method(): string {
    return this.request.method as string;
  }

  get target(): string {
    return this.request.url as string;
  }

  get headers(): HeaderList {
    return this.request.rawHeaders;
  }

  get protocol(): "HTTP/1.1" {
    return "HTTP/1.1";
  }

  get remoteAddress(): string {
    const address = this.request.socket.remoteAddress ?? "";
    return address.startsWith("::ffff:") ? address.slice(7) : address;
  }

  get answered(): boolean {
    return this.responseStatus !== 0;
  }

  get contentLength(): number | undefined {
    if (this.length !== -1) return this.length;
    const chunked = this.header("transfer-encoding") !== undefined;
    this.length = chunked ? undefined : (lengthOf(this.header("content-length")) ?? 0);
    return this.length;
  }

  header(name: string): string | undefined {
    return headerValue(this.request.rawHeaders, name);
  }

  readBody(bytesMax: number): Promise<Uint8Array> {
    this.bodyTaken = true;
    const length = this.contentLength;
    if (length === 0) return Promise.resolve(EMPTY_BODY);
    if (bytesMax > 0 && length !== undefined && length > bytesMax)
      return Promise.reject(new BodyTooLargeError(bytesMax));
    if (this.request.destroyed) return Promise.reject(new PeerGoneError());
    this.continue();
    return collectBody(this.request, bytesMax, this.owner.bodies);
  }

  streamBody(bytesMax: number): AsyncIterable<Uint8Array> {
    this.bodyTaken = true;
    const body = new H1RequestBody(this.request, bytesMax, this.owner.bodies);
    const length = this.contentLength;
    if (length === 0) body.queue.end();
    else if (bytesMax > 0 && length !== undefined && length > bytesMax)
      body.queue.fail(new BodyTooLargeError(bytesMax));
    else {
      this.continue();
      body.start();
    }
    return body.queue;
  }

  addResponseHeaders(headers: HeaderList): void {
    this.extraHeaders = this.extraHeaders === undefined ? headers : [...this.extraHeaders, ...headers];
  }

  respond(status: number, headers: HeaderList, body?: Uint8Array | string): void {
    const response = this.response;
    const list = this.beginAnswer(headers);
    let length = 0;
    if (!isBodyless(status)) {
      length = body === undefined ? 0 : typeof body === "string" ? Buffer.byteLength(body) : body.length;
      list.push("content-length", String(length));
    }
    if (this.owner.closing || this.mustCloseUnread(false)) list.push("connection", "close");
    response.writeHead(status, list);
    this.responseStatus = status;
    this.responseBytes = length;
    if (length === 0) response.end();
    else response.end(body);
    if (this.bodyTaken) this.dropBody();
  }

  startResponse(status: number, headers: HeaderList): BodyWriter {
    const list = this.beginAnswer(headers);
    if (this.owner.closing || this.mustCloseUnread(this.bodyTaken)) list.push("connection", "close");
    this.response.writeHead(status, list);
    this.responseStatus = status;
    process.nextTick(flushHead, this.response);
    return this;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    const response = this.response;
    if (response.destroyed) return Promise.reject(new PeerGoneError());
    this.responseBytes += chunk.length;
    return response.write(chunk) ? undefined : drained(response);
  }

  end(): void {
    this.response.end();
    if (this.bodyTaken) this.dropBody();
  }

  abort(): void {
    this.request.socket.destroy();
  }

  onAbort(listener: () => void): void {
    if (this.response.destroyed && !this.response.writableFinished) {
      queueMicrotask(listener);
      return;
    }
    this.response.once("close", () => {
      if (!this.response.writableFinished) listener();
    });
  }

  private beginAnswer(headers: HeaderList): string[] {
    if (this.responseStatus !== 0) throw new Error("the exchange has been answered already");
    // HTTP/1.1 connections persist unless somebody says otherwise; Go does not say so, and callers count the headers of a hop.
    if (this.response.shouldKeepAlive && this.request.httpVersionMinor === 1) this.response.removeHeader("connection");
    return answerHeaders(headers, this.extraHeaders, this.trace);
  }

  /** A large body that nobody reads would be read to its end by `node:http`: the connection is closed gently instead. */
  private mustCloseUnread(beingRead: boolean): boolean {
    const { request } = this;
    if (beingRead || request.complete || request.destroyed) return false;
    const length = this.contentLength;
    if (length !== undefined && length <= DRAIN_BYTES_MAX && !this.expectsContinue) return false;
    lingerOnClose(request.socket);
    return true;
  }

  /** The answer is whole: what is left of a body that was only begun is read away, for a moment. */
  private dropBody(): void {
    const { request } = this;
    if (request.readableEnded || request.destroyed) return;
    request.resume();
    if (!request.complete) destroyUnlessRead(request);
  }

  private continue(): void {
    if (!this.expectsContinue) return;
    this.expectsContinue = false;
    this.response.writeContinue();
  }
}

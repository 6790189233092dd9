import { Deadline, DeadlineWheel } from "../deadlines.ts";
import {
  H2_ERROR,
  type RequestHead,
  type ResponseHead,
  type StreamHandler,
  type Transport,
  type TransportClient,
  type TransportClientOptions,
  type TransportStream,
} from "../h2/transport.ts";
import { PullQueue, type QueueSource } from "../pull-queue.ts";
import { connectErrorText, HttpClientError } from "./errors.ts";
import { EMPTY_BODY, headersForH2, headerValue, isBodyless, joinChunks, lengthOf } from "./headers.ts";
import { BODY_QUEUE_BYTES, INLINE_BODY_BYTES_MAX } from "./limits.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "./types.ts";

/** What a client over HTTP/2 may be told. */
export interface H2HttpClientOptions {
  readonly inlineBodyBytesMax?: number | undefined;
  /** `https` when `transport.connect` makes TLS sockets. */
  readonly scheme?: "http" | "https" | undefined;
  readonly transport?: TransportClientOptions | undefined;
}

/** An HTTP client that speaks HTTP/2 by prior knowledge to `host:port` or `unix:<path>`: apps with `--app-protocol h2c`. */
export function createH2HttpClient(
  transport: Transport,
  address: string,
  options: H2HttpClientOptions = {},
): HttpClient {
  return new H2HttpClient(transport.createClient(address, options.transport), address, options);
}

class H2HttpClient implements HttpClient {
  private readonly transport: TransportClient;
  private readonly authority: string;
  private readonly scheme: string;
  private readonly inlineBodyBytesMax: number;
  private readonly deadlines = new DeadlineWheel();

  constructor(transport: TransportClient, address: string, options: H2HttpClientOptions) {
    this.transport = transport;
    this.authority = address.startsWith("unix:") ? "localhost" : address;
    this.scheme = options.scheme ?? "http";
    this.inlineBodyBytesMax = options.inlineBodyBytesMax ?? INLINE_BODY_BYTES_MAX;
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const head: RequestHead = {
        method: request.method,
        path: request.target,
        scheme: this.scheme,
        authority: headerValue(request.headers, "host") ?? this.authority,
        headers: headersForH2(request.headers),
      };
      new H2Call(request, this.inlineBodyBytesMax, this.deadlines, resolve, reject).start(this.transport, head);
    });
  }

  close(): Promise<void> {
    return this.transport.close();
  }
}

/** One request on its stream. */
class H2Call extends Deadline implements StreamHandler, QueueSource {
  private readonly request: HttpRequest;
  private readonly inlineBodyBytesMax: number;
  private readonly deadlines: DeadlineWheel;
  private readonly resolve: (response: HttpResponse) => void;
  private readonly reject: (error: HttpClientError) => void;
  private stream: TransportStream | undefined = undefined;
  private onAbort: (() => void) | undefined = undefined;
  private head: ResponseHead | undefined = undefined;
  private chunks: Uint8Array[] | undefined = undefined;
  private length = 0;
  private queue: PullQueue<Uint8Array> | undefined = undefined;
  private ended = false;
  private room: (() => void) | undefined = undefined;
  private connectError: Error | undefined = undefined;

  constructor(
    request: HttpRequest,
    inlineBodyBytesMax: number,
    deadlines: DeadlineWheel,
    resolve: (response: HttpResponse) => void,
    reject: (error: HttpClientError) => void,
  ) {
    super();
    this.request = request;
    this.inlineBodyBytesMax = inlineBodyBytesMax;
    this.deadlines = deadlines;
    this.resolve = resolve;
    this.reject = reject;
  }

  start(transport: TransportClient, head: RequestHead): void {
    const { body, signal, headTimeoutMs } = this.request;
    if (signal !== undefined) {
      this.onAbort = () => this.fail("aborted", "the request was aborted", signal.reason);
      if (signal.aborted) {
        this.onAbort();
        return;
      }
      signal.addEventListener("abort", this.onAbort, { once: true });
    }
    if (headTimeoutMs !== undefined && headTimeoutMs > 0) this.deadlines.arm(this, headTimeoutMs);
    const bodyless = body instanceof Uint8Array && body.length === 0;
    const stream = transport.open(head, bodyless, this);
    this.stream = stream;
    if (bodyless) return;
    if (body instanceof Uint8Array) stream.send(body, true);
    else void this.sendAll(stream, body);
  }

  private async sendAll(stream: TransportStream, body: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of body) {
        if (this.ended) return;
        if (!stream.send(chunk, false)) {
          await new Promise<void>((resolve) => {
            this.room = resolve;
          });
        }
        if (this.ended) return;
      }
      stream.send(EMPTY_BODY, true);
    } catch (error) {
      this.fail("protocol", "the request's body broke off", error);
    }
  }

  onDeadline(): void {
    this.fail("timeout", `no answer within ${this.request.headTimeoutMs ?? 0} ms`, undefined);
  }

  onConnectError(error: Error): void {
    this.connectError = error;
  }

  onHead(head: ResponseHead, endStream: boolean): void {
    if (head.status < 200 || this.ended) return;
    this.head = head;
    this.deadlines.disarm(this);
    const bodyless = endStream || isBodyless(head.status) || this.request.method === "HEAD";
    const length = bodyless ? 0 : lengthOf(headerValue(head.headers, "content-length"));
    if (length !== undefined && length <= this.inlineBodyBytesMax) {
      this.chunks = [];
      return;
    }
    this.queue = new PullQueue<Uint8Array>(this, BODY_QUEUE_BYTES);
    this.resolve({ status: head.status, headers: head.headers, body: this.queue });
  }

  onData(chunk: Uint8Array): void {
    if (this.chunks !== undefined) {
      this.chunks.push(chunk);
      this.length += chunk.length;
      if (this.length > this.inlineBodyBytesMax)
        this.fail("protocol", "the body is longer than its content-length", undefined);
    } else if (this.queue?.push(chunk, chunk.length) === false) this.stream?.hold();
  }

  onEnd(): void {
    const { head } = this;
    if (this.ended || head === undefined) return;
    this.finish();
    if (this.chunks !== undefined)
      this.resolve({ status: head.status, headers: head.headers, body: joinChunks(this.chunks, this.length) });
    else this.queue?.end();
    // The answer is whole; what we were still sending has no reader.
    this.stream?.reset(H2_ERROR.noError);
  }

  onDrain(): void {
    const { room } = this;
    this.room = undefined;
    room?.();
  }

  onClose(code: number): void {
    const error = this.connectError;
    if (error !== undefined) this.fail("connect", `no connection: ${connectErrorText(error)}`, error);
    else
      this.fail("protocol", code < 0 ? "the connection was lost" : `the stream was reset with code ${code}`, undefined);
  }

  onRoom(): void {
    this.stream?.resume();
  }

  onAbandoned(): void {
    this.fail("aborted", "the body was given up", undefined);
  }

  private fail(kind: HttpClientError["kind"], message: string, cause: unknown): void {
    if (this.ended) return;
    this.finish();
    const failure = new HttpClientError(kind, `${this.request.method} ${this.request.target}: ${message}`, cause);
    this.queue?.fail(failure);
    this.reject(failure);
    this.stream?.reset(H2_ERROR.cancel);
  }

  private finish(): void {
    this.ended = true;
    this.deadlines.disarm(this);
    if (this.onAbort !== undefined) this.request.signal?.removeEventListener("abort", this.onAbort);
    this.onDrain();
  }
}

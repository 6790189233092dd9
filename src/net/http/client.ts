import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { Pool, type Dispatcher } from "undici";
import { Deadline, DeadlineWheel } from "../deadlines.ts";
import { PullQueue, type QueueSource } from "../pull-queue.ts";
import { connectErrorText, HttpClientError } from "./errors.ts";
import { createH1Connector } from "./h1-connector.ts";
import { headerValue, isBodyless, isConnectionHeader, joinChunks, lengthOf } from "./headers.ts";
import {
  BODY_QUEUE_BYTES,
  CLIENT_CONNECTIONS_MAX,
  CONNECT_TIMEOUT_MS,
  HALF_CLOSED_MS_MAX,
  HEADER_BYTES_MAX,
  INLINE_BODY_BYTES_MAX,
} from "./limits.ts";
import { SWITCHED_REASON } from "./response-starts.ts";
import type { HeaderList, HttpClient, HttpRequest, HttpResponse } from "./types.ts";

/** What a client may be told; every field has a default. */
export interface HttpClientOptions {
  /** A unix socket to connect to instead of the origin's host. */
  readonly socketPath?: string | undefined;
  /** Connections at a time; further requests wait. */
  readonly connectionsMax?: number | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** Bytes of a response's head. */
  readonly headerBytesMax?: number | undefined;
  /** A response whose declared length is at most this many bytes is handed over whole. */
  readonly inlineBodyBytesMax?: number | undefined;
  /**
   * A body that ends before its declared length counts as whole where that length is at most `inlineBodyBytesMax`, as daprd
   * takes it from apps; otherwise it is an error.
   */
  readonly acceptsShortBodies?: boolean | undefined;
  /** For https origins: false takes any certificate, as Dapr does with apps. */
  readonly rejectUnauthorized?: boolean | undefined;
  /** For https origins: certificates to trust, PEM, and our own. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** For https origins: a context made once, instead of certificates that are read for every connection. */
  readonly secureContext?: SecureContext | undefined;
  /** For https origins: the name that the server's certificate must have, where it is not the origin's host. */
  readonly serverName?: string | undefined;
}

/** undici's codes for a connection that ended within a body of declared length. */
const BROKEN_OFF: ReadonlySet<string> = new Set(["UND_ERR_SOCKET", "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"]);

/** What all calls of a client share. */
interface CallSettings {
  /** The call whose head undici writes next, where it wants to know its socket. */
  starting: HttpCall | undefined;
  readonly origin: string;
  readonly inlineBodyBytesMax: number;
  readonly acceptsShortBodies: boolean;
}

/** An HTTP/1.1 client of one origin, such as `http://127.0.0.1:3000`. It follows no redirects and decompresses nothing. */
export function createHttpClient(origin: string, options: HttpClientOptions = {}): HttpClient {
  return new PooledHttpClient(origin, options);
}

class PooledHttpClient implements HttpClient {
  private readonly pool: Pool;
  private readonly settings: CallSettings;
  private readonly deadlines = new DeadlineWheel();

  constructor(origin: string, options: HttpClientOptions) {
    this.settings = {
      starting: undefined,
      origin,
      inlineBodyBytesMax: options.inlineBodyBytesMax ?? INLINE_BODY_BYTES_MAX,
      acceptsShortBodies: options.acceptsShortBodies ?? false,
    };
    const connectTimeout = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.pool = new Pool(origin, {
      connections: options.connectionsMax ?? CLIENT_CONNECTIONS_MAX,
      pipelining: 1,
      allowH2: false,
      connectTimeout,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: options.headerBytesMax ?? HEADER_BYTES_MAX,
      connect: createH1Connector(
        {
          timeout: connectTimeout,
          allowH2: false,
          rejectUnauthorized: options.rejectUnauthorized ?? true,
          ...(options.socketPath === undefined ? {} : { socketPath: options.socketPath }),
          ...(options.ca === undefined ? {} : { ca: options.ca }),
          ...(options.cert === undefined ? {} : { cert: options.cert }),
          ...(options.key === undefined ? {} : { key: options.key }),
          ...(options.secureContext === undefined ? {} : { secureContext: options.secureContext }),
          ...(options.serverName === undefined ? {} : { servername: options.serverName }),
        },
        (socket) => this.settings.starting?.sendOn(socket),
      ),
    });
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const call = new HttpCall(request, this.settings, this.deadlines, resolve, reject);
      if (!call.begin()) return;
      try {
        this.pool.dispatch(
          {
            path: request.target,
            method: request.method,
            headers: withoutConnectionHeaders(request.headers),
            // undici takes any async iterable, which its types do not say.
            body: request.body as Uint8Array,
          },
          call,
        );
      } catch (error) {
        call.fail("protocol", error);
      }
    });
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }
}

/** One request: what undici calls while its response comes in. */
class HttpCall extends Deadline implements Dispatcher.DispatchHandler, QueueSource {
  private readonly request: HttpRequest;
  private readonly settings: CallSettings;
  private readonly deadlines: DeadlineWheel;
  private readonly resolve: (response: HttpResponse) => void;
  private readonly reject: (error: HttpClientError) => void;
  private controller: Dispatcher.DispatchController | undefined = undefined;
  private onAbort: (() => void) | undefined = undefined;
  private failure: HttpClientError | undefined = undefined;
  private status = 0;
  private headers: HeaderList = [];
  private chunks: Uint8Array[] | undefined = undefined;
  private length = 0;
  private queue: PullQueue<Uint8Array> | undefined = undefined;
  private ended = false;
  /** Only of requests that close their half. */
  private socket: Socket | undefined = undefined;
  private isHalfClosed = false;

  constructor(
    request: HttpRequest,
    settings: CallSettings,
    deadlines: DeadlineWheel,
    resolve: (response: HttpResponse) => void,
    reject: (error: HttpClientError) => void,
  ) {
    super();
    this.request = request;
    this.settings = settings;
    this.deadlines = deadlines;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** Starts the head's deadline and the watch on the signal. @returns false when the signal is aborted already */
  begin(): boolean {
    const { signal, headTimeoutMs } = this.request;
    if (signal !== undefined) {
      if (signal.aborted) {
        this.fail("aborted", signal.reason);
        return false;
      }
      this.onAbort = () => this.abort(signal.reason);
      signal.addEventListener("abort", this.onAbort, { once: true });
    }
    if (headTimeoutMs !== undefined && headTimeoutMs > 0) this.deadlines.arm(this, headTimeoutMs);
    return true;
  }

  onDeadline(): void {
    this.fail(this.isHalfClosed ? "aborted" : "timeout", undefined);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    this.settings.starting = this.failure === undefined && this.request.halfCloses === true ? this : undefined;
    if (this.failure !== undefined) controller.abort(this.failure);
  }

  sendOn(socket: Socket): void {
    this.settings.starting = undefined;
    this.socket = socket;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    received: number,
    _headers: unknown,
    reason: string | undefined,
  ): void {
    if (received < 200) return;
    const status = reason === SWITCHED_REASON ? 101 : received;
    this.deadlines.disarm(this);
    this.status = status;
    this.headers = headerStrings(controller.rawHeaders as readonly Uint8Array[]);
    const length =
      isBodyless(status) || this.request.method === "HEAD" ? 0 : lengthOf(headerValue(this.headers, "content-length"));
    if (length !== undefined && length <= this.settings.inlineBodyBytesMax) {
      this.chunks = [];
      return;
    }
    this.queue = new PullQueue<Uint8Array>(this, BODY_QUEUE_BYTES);
    this.resolve({ status, headers: this.headers, body: this.queue });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.chunks !== undefined) {
      this.chunks.push(chunk);
      this.length += chunk.length;
    } else if (this.queue?.push(chunk, chunk.length) === false) controller.pause();
  }

  onResponseEnd(): void {
    this.finish();
    // undici would use it again.
    if (this.isHalfClosed) this.socket?.destroy();
    if (this.chunks !== undefined)
      this.resolve({ status: this.status, headers: this.headers, body: joinChunks(this.chunks, this.length) });
    else this.queue?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    const { code } = error as NodeJS.ErrnoException;
    if (this.chunks !== undefined && this.settings.acceptsShortBodies && BROKEN_OFF.has(code ?? "")) {
      this.onResponseEnd();
      return;
    }
    const invalid = code === "UND_ERR_INVALID_ARG";
    if (this.controller === undefined && !invalid) this.fail("connect", error);
    else this.fail("protocol", error);
  }

  onRoom(): void {
    this.controller?.resume();
  }

  onAbandoned(): void {
    this.fail("aborted", undefined);
  }

  /** Ends the request with an error, for the caller or, once the head is there, for the reader of the body. */
  fail(kind: HttpClientError["kind"], cause: unknown): void {
    if (this.ended) return;
    this.finish();
    const failure = new HttpClientError(kind, this.describe(kind, cause), cause);
    this.failure = failure;
    this.queue?.fail(failure);
    this.reject(failure);
    if (this.controller !== undefined && !this.controller.aborted) this.controller.abort(failure);
  }

  private abort(reason: unknown): void {
    if (this.socket === undefined || this.socket.destroyed) {
      this.fail("aborted", reason);
      return;
    }
    this.isHalfClosed = true;
    this.deadlines.disarm(this);
    this.socket.end();
    this.deadlines.arm(this, HALF_CLOSED_MS_MAX);
  }

  private finish(): void {
    this.ended = true;
    this.deadlines.disarm(this);
    if (this.onAbort !== undefined) this.request.signal?.removeEventListener("abort", this.onAbort);
  }

  private describe(kind: HttpClientError["kind"], cause: unknown): string {
    const what = `${this.request.method} ${this.settings.origin}`;
    if (kind === "timeout") return `${what}: no answer within ${this.request.headTimeoutMs ?? 0} ms`;
    if (kind === "aborted") return `${what}: the request was aborted`;
    const reason = cause instanceof Error ? connectErrorText(cause) : String(cause);
    return kind === "connect" ? `${what}: no connection: ${reason}` : `${what}: ${reason}`;
  }
}

function headerStrings(raw: readonly Uint8Array[]): HeaderList {
  const list: string[] = [];
  for (const one of raw) list.push((one as Buffer).toString("latin1"));
  return list;
}

/** undici sets the framing of the connection itself and refuses requests that try to. */
function withoutConnectionHeaders(headers: HeaderList): string[] {
  const list: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const lower = name.toLowerCase();
    if (isConnectionHeader(lower) || lower === "expect") continue;
    list.push(name, headers[i + 1] as string);
  }
  return list;
}

import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { TraceSpan } from "../../kit/trace-context.ts";

/**
 * Header fields as a flat list: name, value, name, value … in wire order. Names are lower case when we made them and
 * compared without case when a peer did. This is the form `node:http` and undici take and give, so headers pass through
 * without a map being built.
 */
export type HeaderList = readonly string[];

/**
 * A request's or response's bytes: whole, or a stream that is pulled by its reader, so that a slow reader holds the
 * sender back. A stream is read once; calling `return()` on its iterator gives it up and frees the connection.
 */
export type Body = Uint8Array | AsyncIterable<Uint8Array>;

/** A response that has begun; `write` resolves when the peer takes more, and rejects when it is gone. */
export interface BodyWriter {
  write(chunk: Uint8Array): Promise<void> | undefined;
  end(): void;
  /** Cuts the response off, so that the peer sees a broken transfer rather than a short body. */
  abort(): void;
}

/** One HTTP exchange seen from the server, over HTTP/1.1 or HTTP/2 alike. Exactly one answer is given. */
export interface HttpExchange {
  readonly method: string;
  /** Path and query as they came, undecoded. */
  readonly target: string;
  readonly headers: HeaderList;
  readonly protocol: "HTTP/1.1" | "HTTP/2";
  /** The peer's address without port; empty on a unix socket. */
  readonly remoteAddress: string;
  /** True once an answer has begun. */
  readonly answered: boolean;
  /** Bytes of the response body handed over so far, for metrics and the API log. */
  readonly responseBytes: number;
  /** Status of the answer, 0 before it. */
  readonly responseStatus: number;
  /** The exchange's span, where requests are traced. Its context stands in the answer's headers, unless that has one itself. */
  trace?: TraceSpan | undefined;
  /** First value of a header, compared without case. `name` must be lower case. */
  header(name: string): string | undefined;
  /** The declared body length in bytes, 0 for a request without a body, undefined when it is chunked. */
  readonly contentLength: number | undefined;
  /**
   * Reads the whole body.
   * @throws BodyTooLargeError as soon as more than `bytesMax` bytes are announced or have come (0: no limit)
   */
  readBody(bytesMax: number): Promise<Uint8Array>;
  /** The body as a stream; the same limit cuts it off with the same error. */
  streamBody(bytesMax: number): AsyncIterable<Uint8Array>;
  /** Headers that every answer of this exchange carries besides its own; called before answering. */
  addResponseHeaders(headers: HeaderList): void;
  /** Answers whole in one write. `content-length` is added. */
  respond(status: number, headers: HeaderList, body?: Uint8Array | string): void;
  /** Begins an answer whose body follows piece by piece; every write is flushed. */
  startResponse(status: number, headers: HeaderList): BodyWriter;
  /** Called once when the peer goes away before the answer is complete. */
  onAbort(listener: () => void): void;
}

/**
 * What a door gives a listener. It answers the exchange, now or later; what it throws at once is answered with 500.
 */
export type HttpHandler = (exchange: HttpExchange) => void;

/** A request to an HTTP server, usually the app behind a sidecar. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, already encoded. */
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Body;
  /** Aborting ends the request at once. */
  readonly signal?: CancelSignal | undefined;
  /**
   * Over HTTP/1.1 aborting a request that was sent closes our half of the connection alone: the server may hear that nobody
   * waits, and answer all the same, which is an answer as any other.
   */
  readonly halfCloses?: boolean | undefined;
  /** Milliseconds until the response's head must be there; 0 or absent: no limit. */
  readonly headTimeoutMs?: number | undefined;
}

/** Its answer. A body whose length is declared and at most `inlineBodyBytesMax` is whole; any other is a stream. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Body;
}

/** A pooled client of one origin. */
export interface HttpClient {
  /** @throws HttpClientError with `kind` connect, timeout, aborted or protocol */
  request(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

/** A body went over its limit, announced or sent. Doors answer 413 with it. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
  /** The limit in bytes. */
  readonly limitBytes: number;

  constructor(limitBytes: number) {
    super(`the body is larger than the limit of ${limitBytes} bytes`);
    this.limitBytes = limitBytes;
  }
}

/** The peer went away, or its bytes broke off, before a body was whole or an answer was sent. */
export class PeerGoneError extends Error {
  override readonly name = "PeerGoneError";

  constructor(message = "the peer closed the connection") {
    super(message);
  }
}

/**
 * Why a request to an HTTP server has no answer. `connect`: nothing was sent, because no connection stood; `timeout`: the
 * head did not come in time; `aborted`: the caller's signal; `protocol`: the connection broke or its bytes are not HTTP.
 */
export type HttpClientErrorKind = "connect" | "timeout" | "aborted" | "protocol";

/** A failed request of an HttpClient; `code` is the system's or the library's word for it, such as ECONNREFUSED. */
export class HttpClientError extends Error {
  override readonly name = "HttpClientError";
  readonly kind: HttpClientErrorKind;
  readonly code: string | undefined;

  constructor(kind: HttpClientErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    const code = (cause as { code?: unknown } | undefined)?.code;
    this.code = typeof code === "string" ? code : undefined;
  }
}

/** A listener could not be opened; the message names the address and the reason. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly address: string;
  /** The system's word, such as EADDRINUSE. */
  readonly code: string | undefined;

  constructor(address: string, cause: NodeJS.ErrnoException) {
    super(`cannot listen on ${address}: ${reasonOf(cause)}`, { cause });
    this.address = address;
    this.code = cause.code;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "this machine does not have the address",
  EACCES: "permission denied",
  ENOTFOUND: "the host name is unknown",
};

function reasonOf(error: NodeJS.ErrnoException): string {
  return REASONS[error.code ?? ""] ?? error.message;
}

/** The text of a connection error: Node's errors for several addresses keep it in `errors` and have an empty message. */
export function connectErrorText(error: Error): string {
  if (error instanceof AggregateError)
    return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join("; ");
  return error.message;
}

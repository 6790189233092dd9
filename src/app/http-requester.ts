import { GRPC_STATUS } from "../errors/grpc-status.ts";
import type { Clock } from "../kit/clock.ts";
import { GrpcError } from "../net/grpc/status.ts";
import { HttpClientError } from "../net/http/errors.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../net/http/types.ts";
import { AppUnreachableError } from "./app-unreachable-error.ts";
import { goErrorText } from "./go-error-text.ts";
import { headerValue } from "./header-rules.ts";
import { replyHeadersOf } from "./http-headers.ts";
import { tlsErrorText } from "./tls-error-text.ts";
import type { InvokeCall, InvokeReply } from "./types.ts";

/** Told of every answer, for metrics; one without an answer counts as status 500. */
export interface HttpCallObserver {
  /** `path` is decoded and has no query. Bytes are of bodies, 0 where their length was not declared. */
  record(
    method: string,
    path: string,
    status: number,
    latencyMs: number,
    sentBytes: number,
    receivedBytes: number,
  ): void;
  recordProbe(status: number, latencyMs: number): void;
}

/** Sends requests to one server, with Dapr's metrics around them and Go's words for what goes wrong. */
export class HttpRequester {
  readonly #client: HttpClient;
  /** `scheme://host:port`, only for texts. */
  readonly #address: string;
  readonly #clock: Clock;
  readonly #observer: HttpCallObserver | undefined;

  constructor(client: HttpClient, address: string, clock: Clock, observer: HttpCallObserver | undefined) {
    this.#client = client;
    this.#address = address;
    this.#clock = clock;
    this.#observer = observer;
  }

  /**
   * @param path the method that was asked for, as metrics show it
   * @throws AppUnreachableError when no answer came
   */
  async request(request: HttpRequest, path: string): Promise<HttpResponse> {
    const observer = this.#observer;
    const startMs = observer === undefined ? 0 : this.#clock.monotonicMs();
    try {
      const response = await this.#client.request(request);
      observer?.record(
        request.method,
        path,
        response.status,
        this.#clock.monotonicMs() - startMs,
        bodyBytes(request),
        bodyBytes(response),
      );
      return response;
    } catch (error) {
      observer?.record(request.method, path, 500, this.#clock.monotonicMs() - startMs, bodyBytes(request), 0);
      throw this.#unreachable(request, error);
    }
  }

  /** A health probe. @returns the error where no answer came */
  async probe(request: HttpRequest): Promise<HttpResponse | AppUnreachableError> {
    const startMs = this.#clock.monotonicMs();
    let status = 500;
    try {
      const response = await this.#client.request(request);
      status = response.status;
      return response;
    } catch (error) {
      return this.#unreachable(request, error);
    } finally {
      this.#observer?.recordProbe(status, this.#clock.monotonicMs() - startMs);
    }
  }

  #unreachable({ method, target }: HttpRequest, error: unknown): AppUnreachableError {
    const verb = method.charAt(0) + method.slice(1).toLowerCase();
    const aborted = error instanceof HttpClientError && error.kind === "aborted";
    const text = `${verb} "${this.#address}${target}": ${reasonText(error, this.#address)}`;
    return new AppUnreachableError(text, { aborted, cause: error });
  }
}

/** @throws GrpcError for verbs that no HTTP server can be called with, in Dapr's words */
export function checkVerb({ verb }: InvokeCall): void {
  if (verb === "") {
    throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "missing HTTP extension field");
  }
  if (verb === "NONE" || verb === "CONNECT") {
    throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "invalid HTTP verb");
  }
}

/** A streamed body keeps the length that its sender declared, so that the server is not sent chunks instead. */
export function addDeclaredLength(headers: string[], call: InvokeCall): void {
  if (!(call.body instanceof Uint8Array)) {
    const length = headerValue(call.headers, "content-length");
    if (length !== undefined) {
      headers.push("content-length", length);
    }
  }
}

/** An HTTP server's answer as invocation passes it on. */
export function replyOfResponse(response: HttpResponse): InvokeReply {
  return {
    status: { kind: "http", code: response.status },
    headers: replyHeadersOf(response.headers),
    trailers: [],
    contentType: headerValue(response.headers, "content-type") ?? "",
    body: response.body,
  };
}

function bodyBytes({ body, headers }: HttpRequest | HttpResponse): number {
  if (body instanceof Uint8Array) {
    return body.byteLength;
  }
  const declared = Number(headerValue(headers, "content-length") ?? 0);
  return Number.isSafeInteger(declared) ? declared : 0;
}

/** In Go's words, as far as its standard library has words for it. */
function reasonText(error: unknown, address: string): string {
  if (!(error instanceof HttpClientError)) {
    return goErrorText(error);
  }
  if (error.kind === "aborted") {
    return "context canceled";
  }
  const host = address.slice(address.indexOf("//") + 2);
  switch (error.code) {
    case "ECONNREFUSED":
      return `dial tcp ${host}: connect: connection refused`;
    case "ENOTFOUND":
      return `dial tcp: lookup ${host.replace(/:\d+$/, "")}: no such host`;
    case "ECONNRESET":
      return "connection reset by peer";
    case "UND_ERR_CONNECT_TIMEOUT":
      return `dial tcp ${host}: i/o timeout`;
    case "UND_ERR_SOCKET":
      return "EOF";
    default:
      return tlsErrorText(error) ?? error.message;
  }
}

import { responseHeadersOf } from "../../app/http-headers.ts";
import { goErrorText } from "../../app/go-error-text.ts";
import { CALLER_HEADERS, wantsEventStream } from "../../app/header-rules.ts";
import type { InvokeCall, InvokeReply } from "../../app/types.ts";
import type { InvocationBlock } from "../../blocks/invocation/invocation.ts";
import { invocationErrors } from "../../errors/catalogue/invocation.ts";
import { apiError, type ErrorEntry } from "../../errors/error.ts";
import type { Logger } from "../../kit/logger.ts";
import { type StreamTally, tallied } from "../../kit/stream-tally.ts";
import { BodyTooLargeError } from "../../net/http/errors.ts";
import type { Body, HeaderList, HttpExchange } from "../../net/http/types.ts";
import { describeInvocation } from "../span-attributes.ts";
import { findInvokeTarget } from "./invoke-target.ts";
import { httpStatusOfGrpc } from "../../errors/http-status-of-grpc.ts";
import type { Route, RouteHandler } from "./route.ts";

/** Bytes of a request body with a declared length that are held so that the call can be repeated; longer ones stream. */
const REPLAYABLE_BODY_BYTES_MAX = 4 * 1024 * 1024;

/** Verbs that Dapr's messages have a number for; any other travels as POST. */
const VERBS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
]);

const NO_BYTES = new Uint8Array(0);
/** What Go finds in the JSON of a status, which has no type of its own. */
const SNIFFED_TYPE = "text/plain; charset=utf-8";

export interface InvokeDoorOptions {
  readonly invocation: Pick<InvocationBlock, "invoke">;
  /** `--max-body-size` in bytes; 0: no limit. */
  readonly maxBodyBytes: number;
  /** Counts streamed bodies; absent: nobody does. */
  readonly tally?: StreamTally | undefined;
  /** The app's own failure was passed on, which Dapr counts by code as one of the call, unless the request streamed. */
  readonly failurePassedOn?: ((entry: ErrorEntry) => void) | undefined;
  readonly logger: Logger;
}

/** `/v1.0/invoke/{app}/method/{path}` for every method. */
export function invokeRoutes(options: InvokeDoorOptions): readonly Route[] {
  return [
    {
      methods: ["*"],
      path: "/v1.0/invoke/*",
      group: { name: "invoke", version: "v1" },
      name: "InvokeService",
      handler: invokeFallback(options),
    },
  ];
}

/**
 * Handles what no route matches: a call of the app that the `dapr-app-id` header, or a Basic user of that name, names.
 * Without either it answers 404.
 */
export function invokeFallback(options: InvokeDoorOptions): RouteHandler {
  const logger = options.logger.scope("dapr.runtime.http");
  return async (exchange, _params, query) => {
    const found = findInvokeTarget(exchange);
    if (found === undefined) {
      throw apiError(invocationErrors.noAppId, {});
    }
    const { trace } = exchange;
    if (trace?.recording === true) {
      describeInvocation(trace, found.appId, found.method);
    }
    const abort = new AbortController();
    exchange.onAbort(() => abort.abort());
    const call: InvokeCall = {
      method: found.method,
      verb: VERBS.has(exchange.method) ? exchange.method : "POST",
      query,
      headers: forwardable(exchange.headers),
      trace,
      origin: "http",
      contentType: exchange.header("content-type") ?? "",
      body: await requestBody(exchange, options),
      signal: abort.signal,
    };
    let reply: InvokeReply;
    try {
      reply = await options.invocation.invoke(found.appId, call);
    } catch (error) {
      throw tooLargeWithin(error) ?? error;
    }
    if (options.failurePassedOn !== undefined && exchange.contentLength !== undefined && isFailure(reply)) {
      options.failurePassedOn(invocationErrors.directInvoke);
    }
    await answer(exchange, reply, call.headers, { tally: options.tally, logger });
  };
}

async function requestBody(
  exchange: HttpExchange,
  { maxBodyBytes, tally }: Pick<InvokeDoorOptions, "maxBodyBytes" | "tally">,
): Promise<Body> {
  const length = exchange.contentLength;
  if (length === 0) {
    return NO_BYTES;
  }
  if (length !== undefined && (length <= REPLAYABLE_BODY_BYTES_MAX || (maxBodyBytes > 0 && length > maxBodyBytes))) {
    return await exchange.readBody(maxBodyBytes);
  }
  return tallied(exchange.streamBody(maxBodyBytes), tally);
}

/** Without what is meant for this sidecar alone. */
function forwardable(headers: HeaderList): HeaderList {
  let kept: string[] | undefined;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (isForSidecar(name)) {
      kept ??= headers.slice(0, index);
    } else {
      kept?.push(name, headers[index + 1] as string);
    }
  }
  return kept ?? headers;
}

function isForSidecar(name: string): boolean {
  switch (name.length) {
    case 11:
      return name.toLowerCase() === "dapr-app-id";
    case 14:
      return name.toLowerCase() === "dapr-api-token";
    case 18:
    case 21:
      return CALLER_HEADERS.has(name.toLowerCase());
    default:
      return false;
  }
}

function isFailure({ status }: InvokeReply): boolean {
  return status.kind === "http" && (status.code < 200 || status.code > 399);
}

type StreamPorts = Pick<InvokeDoorOptions, "tally" | "logger">;

async function answer(
  exchange: HttpExchange,
  reply: InvokeReply,
  requestHeaders: HeaderList,
  ports: StreamPorts,
): Promise<void> {
  const { status } = reply;
  const headers = responseHeadersOf(reply);
  if (status.kind === "grpc" && status.code !== 0) {
    // Only gRPC apps need protobuf here.
    const { statusJson } = await import("./grpc-status-json.ts");
    respond(exchange, httpStatusOfGrpc(status.code), headers, Buffer.from(statusJson(status)), SNIFFED_TYPE);
    return;
  }
  const code = status.kind === "grpc" ? 200 : status.code;
  if (reply.body instanceof Uint8Array) {
    // daprd names a type for failures that have none.
    if (isFailure(reply)) {
      respond(exchange, code, headers, reply.body, "application/json");
    } else {
      exchange.respond(code, headers, reply.body);
    }
    return;
  }
  if (wantsEventStream(requestHeaders)) {
    addEventStreamHeaders(headers);
  }
  await stream(exchange, code, headers, reply.body, ports);
}

function respond(
  exchange: HttpExchange,
  status: number,
  headers: string[],
  body: Uint8Array,
  defaultType: string,
): void {
  if (!headers.includes("content-type")) {
    headers.push("content-type", defaultType);
  }
  exchange.respond(status, headers, body);
}

function addEventStreamHeaders(headers: string[]): void {
  if (!headers.includes("content-type")) {
    headers.push("content-type", "text/event-stream");
  }
  if (!headers.includes("cache-control")) {
    headers.push("cache-control", "no-cache");
  }
}

/** Every chunk goes out as it comes; once the answer has begun, a failure can only cut it off. */
async function stream(
  exchange: HttpExchange,
  status: number,
  headers: HeaderList,
  body: AsyncIterable<Uint8Array>,
  { tally, logger }: StreamPorts,
): Promise<void> {
  const writer = exchange.startResponse(status, headers);
  try {
    for await (const chunk of body) {
      await writer.write(chunk);
      tally?.add(chunk.byteLength);
    }
    writer.end();
  } catch (error) {
    logger.warn(`HTTP service invocation failed to complete with error: ${goErrorText(error)}`);
    writer.abort();
  }
}

/** A streamed body that went over its limit shows as the cause of whatever was made of it on the way. */
function tooLargeWithin(error: unknown): BodyTooLargeError | undefined {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof BodyTooLargeError) {
      return one;
    }
  }
  return undefined;
}

import type { MiddlewarePipeline, MiddlewareRequest } from "../../components/spi/middleware.ts";
import { Cancellation } from "../../kit/cancel-signal.ts";
import { PeerGoneError } from "../../net/http/errors.ts";
import { EMPTY_BODY, isBodyless, isConnectionHeader } from "../../net/http/headers.ts";
import type { HeaderList, HttpExchange, HttpResponse } from "../../net/http/types.ts";
import { PipelinedExchange } from "./pipelined-exchange.ts";

/** `spec.httpPipeline` around the routes of the API. */
export interface DoorPipeline {
  readonly pipeline: MiddlewarePipeline;
  /** `--max-body-size` in bytes; 0: no limit. */
  readonly maxBodyBytes: number;
}

/**
 * Takes one exchange through the pipeline to the routes and its answer back to the caller.
 * @param root answers the exchange that it is given, errors included
 * @throws PeerGoneError when the caller has gone; else what a middleware threw
 */
export async function serveThroughPipeline(
  { pipeline, maxBodyBytes }: DoorPipeline,
  exchange: HttpExchange,
  root: (exchange: HttpExchange) => Promise<void>,
): Promise<void> {
  const signal = new Cancellation();
  let inner: PipelinedExchange | undefined;
  exchange.onAbort(() => {
    signal.abort(new PeerGoneError());
    inner?.callerGone();
  });
  const body = exchange.contentLength === 0 ? EMPTY_BODY : unreadBody(exchange, maxBodyBytes);
  const request: MiddlewareRequest = {
    method: exchange.method,
    target: exchange.target,
    headers: exchange.headers,
    body,
    signal,
    remoteAddress: exchange.remoteAddress,
    protocol: exchange.protocol,
    bodyBytesMax: maxBodyBytes,
  };
  const next = (changed: MiddlewareRequest): Promise<HttpResponse> => {
    if (signal.aborted) {
      return Promise.reject(new PeerGoneError());
    }
    const one = new PipelinedExchange(exchange, changed, changed.body === body);
    inner = one;
    root(one).then(
      () => one.routeDone(),
      () => one.routeDone(),
    );
    return one.response;
  };
  try {
    await answer(exchange, await pipeline.run(request, next));
  } finally {
    inner?.over();
  }
}

/** Nothing is read of it, and no `100 Continue` sent, before somebody iterates. */
function unreadBody(exchange: HttpExchange, bytesMax: number): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => exchange.streamBody(bytesMax)[Symbol.asyncIterator]() };
}

async function answer(exchange: HttpExchange, { status, headers, body }: HttpResponse): Promise<void> {
  const kept = endToEnd(headers);
  if (body instanceof Uint8Array) {
    exchange.respond(status, kept, isBodyless(status) ? undefined : body);
    return;
  }
  const writer = exchange.startResponse(status, kept);
  try {
    for await (const chunk of body) {
      await writer.write(chunk);
    }
    writer.end();
  } catch {
    // Whoever made the body has logged why it broke off.
    writer.abort();
  }
}

/** A body that was changed on its way has another length, and connections are the listener's. */
function endToEnd(headers: HeaderList): HeaderList {
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = (headers[index] as string).toLowerCase();
    if (name !== "content-length" && !isConnectionHeader(name)) {
      kept.push(name, headers[index + 1] as string);
    }
  }
  return kept;
}

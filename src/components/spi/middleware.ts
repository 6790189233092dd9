import type { HttpRequest, HttpResponse } from "../../net/http/types.ts";
import type { Component } from "./component.ts";

/**
 * A request on its way through a pipeline: a value, which a middleware passes on as it is or changed (`{ ...request, target }`).
 * In the pipeline of the API it is what the caller sent, in that of the app what the sidecar is about to send to the app.
 */
export interface MiddlewareRequest extends HttpRequest {
  /** The caller's address without port; empty on a unix socket and in the pipeline of the app. */
  readonly remoteAddress: string;
  readonly protocol: "HTTP/1.1" | "HTTP/2";
  /** Bytes of a body that a middleware may hold whole; 0: no limit. */
  readonly bodyBytesMax: number;
}

/** The rest of the pipeline and, behind it, the API or the app. */
export type MiddlewareNext = (request: MiddlewareRequest) => Promise<HttpResponse>;

/**
 * A handler of `spec.httpPipeline` or `spec.appHttpPipeline`. One instance serves all requests of both pipelines. `close` is
 * called when the last pipeline has let go of it, which may be while requests are still inside: they end as if nothing
 * had happened.
 */
export interface HttpMiddleware extends Component {
  /**
   * Answers the request itself, or passes it on and gives the answer back, as it came or changed. A streamed body that is
   * neither read nor passed on is left alone.
   */
  handle(request: MiddlewareRequest, next: MiddlewareNext): Promise<HttpResponse>;
}

/** Handlers one after the other, in the order of the Configuration; they may be others for the next request. */
export interface MiddlewarePipeline {
  run(request: MiddlewareRequest, root: MiddlewareNext): Promise<HttpResponse>;
}

import { namesTrace, type TraceContext, traceContextOf } from "../../kit/trace-context.ts";
import type { HttpExchange } from "../../net/http/types.ts";

/** The trace context that goes on with a request: its span's where there is one, otherwise what the caller sent. */
export function requestTrace(exchange: HttpExchange): TraceContext | undefined {
  const { trace } = exchange;
  if (trace === undefined) {
    return callerTrace(exchange);
  }
  return namesTrace(trace) ? trace : undefined;
}

/** The W3C trace context that a request came with. */
export function callerTrace(exchange: HttpExchange): TraceContext | undefined {
  const traceparent = exchange.header("traceparent");
  return traceparent === undefined ? undefined : traceContextOf(traceparent, exchange.header("tracestate"));
}

import type { TraceContext } from "../../blocks/pubsub/envelope.ts";
import type { HttpExchange } from "../../net/http/types.ts";
import { traceContextOf } from "../trace-context.ts";

/** The W3C trace context that a request carries. */
export function requestTrace(exchange: HttpExchange): TraceContext | undefined {
  const traceparent = exchange.header("traceparent");
  return traceparent === undefined ? undefined : traceContextOf(traceparent, exchange.header("tracestate"));
}

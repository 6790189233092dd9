import type { TraceContext } from "../blocks/pubsub/envelope.ts";

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A caller's W3C trace context; undefined when it sent none that is valid. */
export function traceContextOf(
  traceparent: string | undefined,
  tracestate: string | undefined,
): TraceContext | undefined {
  if (traceparent === undefined || !TRACEPARENT.test(traceparent)) {
    return undefined;
  }
  return { traceparent, tracestate: tracestate ?? "" };
}

import { namesTrace, type TraceContext, traceContextOf, traceparentOfBinary } from "../../kit/trace-context.ts";
import { encodeBinary, headerOf } from "../../net/grpc/metadata.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import type { HeaderList } from "../../net/http/types.ts";

/** The trace context that goes on with a call: its span's where there is one, otherwise what the caller sent. */
export function callTrace({ trace, metadata }: ServerCall): TraceContext | undefined {
  if (trace !== undefined) {
    return namesTrace(trace) ? trace : undefined;
  }
  const binary = metadata.getBinary("grpc-trace-bin");
  return contextOf(
    binary === undefined ? undefined : encodeBinary(binary),
    metadata.get("traceparent"),
    metadata.get("tracestate"),
  );
}

/** The W3C trace context that a call came with, in gRPC's binary form or as text; `headers` as they were received. */
export function callerTrace(headers: HeaderList): TraceContext | undefined {
  const binary = headerOf(headers, "grpc-trace-bin");
  const traceparent = headerOf(headers, "traceparent");
  return binary === undefined && traceparent === undefined
    ? undefined
    : contextOf(binary, traceparent, headerOf(headers, "tracestate"));
}

function contextOf(
  binary: string | undefined,
  traceparent: string | undefined,
  tracestate: string | undefined,
): TraceContext | undefined {
  const fromBinary = binary === undefined ? undefined : traceparentOfBinary(binary);
  return fromBinary === undefined
    ? traceContextOf(traceparent, tracestate)
    : { traceparent: fromBinary, tracestate: "" };
}

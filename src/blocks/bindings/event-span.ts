import type { AppProtocol } from "../../app/types.ts";
import type { BindingEvent } from "../../components/spi/bindings.ts";
import { SPAN_KIND, type TraceContext, traceContextOf, traceparentOfBinary } from "../../kit/trace-context.ts";
import type { Tracer, TraceSpan } from "../../kit/trace-context.ts";

const GRPC_CALL = "/dapr.proto.runtime.v1.AppCallback/OnBindingEvent";

type EventMetadata = BindingEvent["metadata"];

/** The span of an input binding's event on its way to the app, below the trace that the event's metadata name. */
export function eventSpan(
  tracer: Tracer | undefined,
  binding: string,
  { metadata }: BindingEvent,
  protocol: AppProtocol,
): TraceSpan | undefined {
  if (tracer === undefined) {
    return undefined;
  }
  const span = tracer.start(`bindings/${binding}`, SPAN_KIND.client, parentOf(metadata));
  if (span.recording) {
    span.set("db.name", binding);
    span.set("rpc.service", "Dapr");
    span.set("db.system", "bindings");
    span.set("db.connection_string", protocol.startsWith("grpc") ? GRPC_CALL : `POST /${binding}`);
  }
  return span;
}

/** The event's metadata with the span's context in place of its own. */
export function tracedMetadata(metadata: EventMetadata, { traceparent, tracestate }: TraceContext): EventMetadata {
  const traced: Record<string, string> = { ...metadata, traceparent };
  delete traced["grpc-trace-bin"];
  return { ...traced, ...(tracestate === "" ? undefined : { tracestate }) };
}

function parentOf({ "grpc-trace-bin": binary, traceparent, tracestate }: EventMetadata): TraceContext | undefined {
  const fromBinary =
    binary === undefined ? undefined : traceparentOfBinary(Buffer.from(binary, "latin1").toString("base64"));
  return traceContextOf(fromBinary ?? traceparent, fromBinary === undefined ? tracestate : undefined);
}

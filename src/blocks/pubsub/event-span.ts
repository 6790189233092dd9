import type { DeliveryOutcome, TopicEvent } from "../../app/types.ts";
import {
  binaryOfContext,
  SPAN_KIND,
  type TraceContext,
  traceContextOf,
  type Tracer,
  type TraceSpan,
} from "../../kit/trace-context.ts";
import type { EventFields } from "./routing.ts";

/**
 * The span of one attempt to hand an event to the app. As in Dapr it stands below the span that published the event, in the
 * same trace; it is linked to that as well, as OpenTelemetry wants of consumers. An event that came without a trace begins
 * one; undefined for one whose trace is no text.
 */
export function eventSpan(tracer: Tracer, { topic, fields }: TopicEvent): TraceSpan | undefined {
  const id = fields["traceparent"] ?? fields["traceid"] ?? "";
  if (typeof id !== "string") {
    return undefined;
  }
  const parent = parentOf(id, fields);
  const span = tracer.start(`pubsub/${topic}`, SPAN_KIND.client, parent);
  if (span.recording) {
    span.set("messaging.system", "pubsub");
    span.set("messaging.destination.name", topic);
    span.set("messaging.operation.type", "process");
    const messageId = fields["id"];
    if (typeof messageId === "string") {
      span.set("messaging.message.id", messageId);
    }
    if (parent !== undefined) {
      span.link(parent);
    }
  }
  return span;
}

function parentOf(traceparent: string, fields: EventFields): TraceContext | undefined {
  const state = fields["tracestate"];
  return traceContextOf(traceparent, typeof state === "string" ? state : undefined);
}

/** The event with the span's context in place of its own among the metadata, which apps get as headers. */
export function tracedEvent(event: TopicEvent, span: TraceSpan): TopicEvent {
  const { traceparent, tracestate } = span;
  const context = { traceparent, "grpc-trace-bin": binaryOfContext(span) };
  const metadata = { ...event.metadata, ...context, ...(tracestate === "" ? undefined : { tracestate }) };
  return { ...event, metadata };
}

/** Ends the span as the attempt ended. */
export function endEventSpan(span: TraceSpan | undefined, outcome: DeliveryOutcome): void {
  if (outcome.kind !== "success") {
    span?.fail(outcome.reason);
  }
  span?.end();
}

import { SPAN_KIND, type TraceContext } from "../../kit/trace-context.ts";
import { RecordedSpan } from "./span.ts";

/** A finished span for tests of what becomes of it. */
export function finishedSpan(
  name = "CallLocal/orders/place",
  fields: { parentId?: string; tracestate?: string } = {},
): RecordedSpan {
  const ids = {
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    spanId: "00f067aa0ba902b7",
    parentId: fields.parentId ?? "",
    tracestate: fields.tracestate ?? "",
  };
  const span = new RecordedSpan({ spanEnded: () => undefined }, name, SPAN_KIND.client, ids, 1_000.25);
  span.endMs = 1_003.5;
  return span;
}

/** A context to link to. */
export const OTHER_SPAN: TraceContext = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "a=1",
};

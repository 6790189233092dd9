import {
  namesTrace,
  type SpanKind,
  type SpanValue,
  type TraceContext,
  type Tracer,
  type TraceSpan,
} from "./trace-context.ts";

/** A span that a test looks at. */
export interface SeenSpan extends TraceSpan {
  readonly kind: SpanKind;
  readonly parent: TraceContext | undefined;
  readonly attributes: Record<string, SpanValue>;
  readonly links: TraceContext[];
  readonly failure: string | undefined;
  readonly ended: number;
}

/** A tracer whose spans are all kept, the first one's id being 1, and so on; all of a trace where they have no parent. */
export class RecordingTracer implements Tracer {
  readonly spans: SeenSpan[] = [];

  start(name: string, kind: SpanKind, parent: TraceContext | undefined): TraceSpan {
    const number = String(this.spans.length + 1).padStart(16, "0");
    const trace = parent === undefined || !namesTrace(parent) ? "a".repeat(32) : parent.traceparent.slice(3, 35);
    const span = {
      name,
      kind,
      parent,
      recording: true,
      traceparent: `00-${trace}-${number}-01`,
      tracestate: parent?.tracestate ?? "",
      attributes: {} as Record<string, SpanValue>,
      links: [] as TraceContext[],
      failure: undefined as string | undefined,
      ended: 0,
      set: (key: string, value: SpanValue) => void (span.attributes[key] = value),
      link: (context: TraceContext) => void span.links.push(context),
      fail: (message: string) => void (span.failure = message),
      end: () => void (span.ended += 1),
    };
    this.spans.push(span);
    return span;
  }
}

import { type SpanKind, type SpanValue, type TraceContext, type TraceSpan } from "../../kit/trace-context.ts";
import { ATTRIBUTES_MAX, LINKS_MAX, TEXT_LENGTH_MAX } from "./limits.ts";

/** Takes spans at their end. */
export interface SpanSink {
  spanEnded(span: RecordedSpan): void;
}

const NO_LINKS: readonly TraceContext[] = [];

/** A span that is exported at its end. Times are milliseconds on the clock's monotonic scale. */
export class RecordedSpan implements TraceSpan {
  readonly recording = true;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: the trace begins here. */
  readonly parentId: string;
  readonly tracestate: string;
  readonly traceparent: string;
  readonly kind: SpanKind;
  readonly startMs: number;
  name: string;
  endMs = 0;
  /** Of all texts it was given, cut or not: what a cut one was cut from stays in memory. */
  characters = 0;
  /** Key, value, key, value …; a key may come twice, and then the last value counts. */
  readonly attributes: SpanValue[] = [];
  links: readonly TraceContext[] = NO_LINKS;
  /** Undefined: nothing is said about success. */
  failure: string | undefined = undefined;
  readonly #sink: SpanSink;

  constructor(
    sink: SpanSink,
    name: string,
    kind: SpanKind,
    ids: { readonly traceId: string; readonly spanId: string; readonly parentId: string; readonly tracestate: string },
    startMs: number,
  ) {
    this.#sink = sink;
    this.name = name;
    this.kind = kind;
    this.traceId = ids.traceId;
    this.spanId = ids.spanId;
    this.parentId = ids.parentId;
    this.tracestate = ids.tracestate;
    this.traceparent = `00-${ids.traceId}-${ids.spanId}-01`;
    this.startMs = startMs;
  }

  set(key: string, value: SpanValue): void {
    const { attributes } = this;
    if (value === "" || attributes.length >= ATTRIBUTES_MAX * 2) {
      return;
    }
    if (typeof value === "string") {
      this.characters += value.length;
      attributes.push(key, shortened(value));
    } else {
      attributes.push(key, value);
    }
  }

  link(context: TraceContext): void {
    if (this.links.length < LINKS_MAX) {
      this.links = [...this.links, context];
    }
  }

  fail(message: string): void {
    this.failure = shortened(message);
  }

  end(): void {
    if (this.endMs === 0) {
      this.characters += this.name.length;
      this.name = shortened(this.name);
      this.#sink.spanEnded(this);
    }
  }
}

/** A context of its own that nobody records: of traces that are not sampled, or that nothing is exported of. */
export class UnrecordedSpan implements TraceSpan {
  readonly recording = false;
  readonly traceparent: string;
  readonly tracestate: string;
  name: string;

  constructor(name: string, { traceparent, tracestate }: TraceContext) {
    this.name = name;
    this.traceparent = traceparent;
    this.tracestate = tracestate;
  }

  set(): void {}
  link(): void {}
  fail(): void {}
  end(): void {}
}

/** Cut to what a span holds. */
export function shortened(text: string): string {
  return text.length <= TEXT_LENGTH_MAX ? text : text.slice(0, TEXT_LENGTH_MAX);
}

import type { Clock } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import {
  namesTrace,
  NO_TRACE_CONTEXT,
  type SpanKind,
  type TraceContext,
  type Tracer,
  type TraceSpan,
} from "../../kit/trace-context.ts";
import { isSampled } from "./sampler.ts";
import { RecordedSpan, type SpanSink, UnrecordedSpan } from "./span.ts";
import { SpanIds } from "./span-ids.ts";

/**
 * Where nobody exports and no rate is set, which is Dapr's default: a caller's context goes on as it is, and where there is
 * none apps and callers are sent one of zeros, so that the header is there and names nothing.
 */
export class PassingTracer implements Tracer {
  /** Nothing is said of it, so that one does for all calls without a trace. */
  readonly #nowhere = new UnrecordedSpan("", NO_TRACE_CONTEXT);

  start(name: string, _kind: SpanKind, parent: TraceContext | undefined): TraceSpan {
    return parent === undefined ? this.#nowhere : new UnrecordedSpan(name, parent);
  }
}

/** Spans of their own for everything: recorded as the parent says, and where a trace begins as often as the rate says. */
export class SamplingTracer implements Tracer {
  readonly #rate: number;
  /** Undefined: contexts are made and nothing is exported. */
  readonly #sink: SpanSink | undefined;
  readonly #ids: SpanIds;
  readonly #clock: Clock;

  constructor(rate: number, sink: SpanSink | undefined, ports: { readonly random: Random; readonly clock: Clock }) {
    this.#rate = rate;
    this.#sink = sink;
    this.#ids = new SpanIds(ports.random);
    this.#clock = ports.clock;
  }

  start(name: string, kind: SpanKind, parent: TraceContext | undefined, startMs?: number): TraceSpan {
    let traceId: string;
    let parentId = "";
    let tracestate = "";
    let sampled: boolean;
    if (parent === undefined || !namesTrace(parent)) {
      traceId = this.#ids.traceId();
      sampled = isSampled(traceId, this.#rate);
    } else {
      const { traceparent } = parent;
      traceId = traceparent.slice(3, 35);
      parentId = traceparent.slice(36, 52);
      tracestate = parent.tracestate;
      sampled = isFlagged(traceparent);
    }
    const spanId = this.#ids.spanId();
    if (sampled && this.#sink !== undefined) {
      const ids = { traceId, spanId, parentId, tracestate };
      return new RecordedSpan(this.#sink, name, kind, ids, startMs ?? this.#clock.monotonicMs());
    }
    return new UnrecordedSpan(name, { traceparent: `00-${traceId}-${spanId}-0${sampled ? 1 : 0}`, tracestate });
  }
}

/** The lowest bit of the flags. */
function isFlagged(traceparent: string): boolean {
  return (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1;
}

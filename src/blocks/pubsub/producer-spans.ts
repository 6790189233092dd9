import { SPAN_KIND, type TraceContext, type Tracer, type TraceSpan } from "../../kit/trace-context.ts";

/** A request's context, and what its span is called. */
export type RequestTrace = TraceContext & { readonly name?: string };

/** The spans of a list's messages: each has one of its own, so that its consumer's can be told from the others'. */
export class ProducerSpans {
  readonly #tracer: Tracer;
  readonly #request: RequestTrace | undefined;
  readonly #topic: string;
  readonly #spans: TraceSpan[] = [];

  constructor(tracer: Tracer, request: RequestTrace | undefined, topic: string) {
    this.#tracer = tracer;
    this.#request = request;
    this.#topic = topic;
  }

  /** The context of the next message. As in Dapr its span has the name of the request's. */
  next(): TraceContext {
    const name = this.#request?.name ?? `publish ${this.#topic}`;
    const span = this.#tracer.start(name, SPAN_KIND.producer, this.#request);
    span.set("messaging.system", "pubsub");
    span.set("messaging.destination.name", this.#topic);
    this.#spans.push(span);
    return span;
  }

  /** @param failure why the list as a whole failed */
  end(failure: string | undefined): void {
    for (const span of this.#spans) {
      if (failure !== undefined) {
        span.fail(failure);
      }
      span.end();
    }
  }
}

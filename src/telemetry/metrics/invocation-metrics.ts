import { invocationMetrics } from "./names.ts";
import { SERIES_PER_METRIC_MAX, type MetricFamily, type MetricRegistry } from "./registry.ts";
import type { Counter, Histogram } from "./series.ts";

/** Whether one message answers one, or a proxied gRPC call streams. */
export type InvocationType = "unary" | "streaming";

/** Statuses of one app whose series are kept at hand; the app chooses them. */
const STATUSES_PER_APP_MAX = 64;

interface AnswerSeries {
  readonly status: number;
  readonly type: InvocationType;
  readonly received: Counter;
  /** Bound with the first latency, so that streams leave no empty histogram. */
  latency: Histogram | undefined;
}

/** Counts service invocation between sidecars, from both ends. Series are bound once per app and status. */
export class InvocationMetrics {
  readonly #appId: string;
  readonly #sent: MetricFamily<Counter>;
  readonly #received: MetricFamily<Counter>;
  readonly #answersSent: MetricFamily<Counter>;
  readonly #answersReceived: MetricFamily<Counter>;
  readonly #latency: MetricFamily<Histogram>;
  readonly #sentTo: Record<InvocationType, Map<string, Counter>> = { unary: new Map(), streaming: new Map() };
  readonly #receivedFrom = new Map<string, Counter>();
  readonly #answersTo = new Map<string, Map<number, Counter>>();
  readonly #answersFrom = new Map<string, AnswerSeries[]>();

  constructor(registry: MetricRegistry, appId: string) {
    this.#appId = appId;
    this.#sent = registry.counter(invocationMetrics.requestsSent);
    this.#received = registry.counter(invocationMetrics.requestsReceived);
    this.#answersSent = registry.counter(invocationMetrics.answersSent);
    this.#answersReceived = registry.counter(invocationMetrics.answersReceived);
    this.#latency = registry.histogram(invocationMetrics.answerLatency);
  }

  /** One attempt at a call of another app or of an HTTP endpoint. */
  requestSent(destination: string, type: InvocationType = "unary"): void {
    const bound = this.#sentTo[type];
    const known = bound.get(destination) ?? this.#sent.series([this.#appId, destination, type]);
    remember(bound, destination, known);
    known.increment();
  }

  /** Its answer; `status` is the app's HTTP status or gRPC code. The latency of streams is not counted, as in Dapr. */
  answerReceived(source: string, status: number, latencyMs: number | undefined, type: InvocationType = "unary"): void {
    const series = this.#answerSeries(source, status, type);
    series.received.increment();
    if (latencyMs !== undefined) {
      (series.latency ??= this.#latency.series([this.#appId, source, String(status)])).observe(latencyMs);
    }
  }

  /** A call of another sidecar for the app behind this one. */
  requestReceived(source: string): void {
    const known = this.#receivedFrom.get(source) ?? this.#received.series([this.#appId, source]);
    remember(this.#receivedFrom, source, known);
    known.increment();
  }

  /** What it was answered. */
  answerSent(destination: string, status: number): void {
    const known = this.#answersTo.get(destination) ?? new Map<number, Counter>();
    remember(this.#answersTo, destination, known);
    const series = known.get(status) ?? this.#answersSent.series([this.#appId, destination, String(status)]);
    if (known.size < STATUSES_PER_APP_MAX) {
      known.set(status, series);
    }
    series.increment();
  }

  #answerSeries(source: string, status: number, type: InvocationType): AnswerSeries {
    const known = this.#answersFrom.get(source) ?? [];
    remember(this.#answersFrom, source, known);
    const found = known.find((series) => series.status === status && series.type === type);
    if (found !== undefined) {
      return found;
    }
    const received = this.#answersReceived.series([this.#appId, source, String(status), type]);
    const bound: AnswerSeries = { status, type, received, latency: undefined };
    if (known.length < STATUSES_PER_APP_MAX) {
      known.push(bound);
    }
    return bound;
  }
}

function remember<T>(bound: Map<string, T>, key: string, value: T): void {
  if (bound.size < SERIES_PER_METRIC_MAX || bound.has(key)) {
    bound.set(key, value);
  }
}

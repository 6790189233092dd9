import { methodLabel, type HttpMetricsOptions } from "./http-server-metrics.ts";
import { httpClientMetrics } from "./names.ts";
import { PathLabels } from "./path-label.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import { type BoundSeries, SeriesByPath } from "./series-by-path.ts";
import type { Counter, Histogram } from "./series.ts";

interface ClientSeries extends BoundSeries {
  readonly completed: Counter;
  readonly latency: Histogram;
  readonly sent: Histogram;
}

/** Counts calls to the app over HTTP and the probes of its health. */
export class HttpClientMetrics {
  readonly #appId: string;
  readonly #excludeVerbs: boolean;
  readonly #paths: PathLabels;
  readonly #sentBytes: MetricFamily<Histogram>;
  readonly #receivedBytes: MetricFamily<Histogram>;
  readonly #latency: MetricFamily<Histogram>;
  readonly #completed: MetricFamily<Counter>;
  readonly #probes: MetricFamily<Counter>;
  readonly #probeLatency: MetricFamily<Histogram>;
  readonly #calls = new SeriesByPath((path, method, status) => this.#bind(path, method, status));
  #received: Histogram | undefined;

  /** @throws PathPatternError */
  constructor(registry: MetricRegistry, appId: string, options: HttpMetricsOptions) {
    this.#appId = appId;
    this.#excludeVerbs = options.excludeVerbs;
    this.#paths = new PathLabels(options);
    this.#sentBytes = registry.histogram(httpClientMetrics.sentBytes);
    this.#receivedBytes = registry.histogram(httpClientMetrics.receivedBytes);
    this.#latency = registry.histogram(httpClientMetrics.latency);
    this.#completed = registry.counter(httpClientMetrics.completedCount);
    this.#probes = registry.counter(httpClientMetrics.probeCount);
    this.#probeLatency = registry.histogram(httpClientMetrics.probeLatency);
  }

  /**
   * One call that the app has answered, or that failed (status 500).
   * @param path decoded, without query
   */
  record(
    method: string,
    path: string,
    status: number,
    latencyMs: number,
    sentBytes: number,
    receivedBytes: number,
  ): void {
    const series = this.#calls.of(this.#paths.ofAppPath(path), methodLabel(method, this.#excludeVerbs), status);
    series.completed.increment();
    series.latency.observe(latencyMs);
    series.sent.observe(sentBytes);
    (this.#received ??= this.#receivedBytes.series([this.#appId])).observe(receivedBytes);
  }

  /** One health probe; a network failure counts as status 500. */
  recordProbe(status: number, latencyMs: number): void {
    const values = [this.#appId, String(status)];
    this.#probes.series(values).increment();
    this.#probeLatency.series(values).observe(latencyMs);
  }

  #bind(path: string, method: string, status: number): ClientSeries {
    const values = [this.#appId, method, path, String(status)];
    return {
      method,
      status,
      completed: this.#completed.series(values),
      latency: this.#latency.series(values),
      // Dapr counts sent bytes before it knows the status, so the label is always empty.
      sent: this.#sentBytes.series([this.#appId, method, path, ""]),
    };
  }
}

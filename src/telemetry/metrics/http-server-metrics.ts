import { httpServerMetrics } from "./names.ts";
import { PathLabels, type PathLabelOptions } from "./path-label.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import { type BoundSeries, SeriesByPath } from "./series-by-path.ts";
import type { Counter, Histogram } from "./series.ts";

/** `spec.metrics.http` of a Configuration, with 1.18's defaults filled in by `metricsSettings`. */
export interface HttpMetricsOptions extends PathLabelOptions {
  /** Blanks the label `method`. */
  readonly excludeVerbs: boolean;
}

/** Anything else is shown as UNKNOWN, so that callers cannot make labels. */
const VERBS: ReadonlySet<string> = new Set([
  "GET",
  "PUT",
  "POST",
  "PATCH",
  "DELETE",
  "HEAD",
  "OPTIONS",
  "CONNECT",
  "TRACE",
]);

/** The label `method`. */
export function methodLabel(method: string, excludeVerbs: boolean): string {
  return excludeVerbs ? "" : VERBS.has(method) ? method : "UNKNOWN";
}

interface ServerSeries extends BoundSeries {
  readonly requests: Counter;
  readonly latency: Histogram;
  /** Counted with increased cardinality only, as in Dapr. */
  readonly responses: Counter | undefined;
}

/** Counts calls of the HTTP API. */
export class HttpServerMetrics {
  readonly #appId: string;
  readonly #excludeVerbs: boolean;
  readonly #paths: PathLabels;
  readonly #requestCount: MetricFamily<Counter>;
  readonly #responseCount: MetricFamily<Counter> | undefined;
  readonly #latency: MetricFamily<Histogram>;
  readonly #requestBytes: MetricFamily<Histogram>;
  readonly #responseBytes: MetricFamily<Histogram>;
  readonly #calls = new SeriesByPath((path, method, status) => this.#bind(path, method, status));
  #sizes: { readonly request: Histogram; readonly response: Histogram } | undefined;

  /** @throws PathPatternError */
  constructor(registry: MetricRegistry, appId: string, options: HttpMetricsOptions) {
    this.#appId = appId;
    this.#excludeVerbs = options.excludeVerbs;
    this.#paths = new PathLabels(options);
    this.#requestCount = registry.counter(httpServerMetrics.requestCount);
    this.#responseCount = options.increasedCardinality ? registry.counter(httpServerMetrics.responseCount) : undefined;
    this.#latency = registry.histogram(httpServerMetrics.latency);
    this.#requestBytes = registry.histogram(httpServerMetrics.requestBytes);
    this.#responseBytes = registry.histogram(httpServerMetrics.responseBytes);
  }

  /**
   * One call that has been answered.
   * @param target path and query as they came
   * @param requestBytes the declared body length, 0 when chunked
   */
  record(
    method: string,
    target: string,
    status: number,
    latencyMs: number,
    requestBytes: number,
    responseBytes: number,
  ): void {
    const series = this.#calls.of(this.#paths.ofTarget(target), methodLabel(method, this.#excludeVerbs), status);
    series.requests.increment();
    series.latency.observe(latencyMs);
    series.responses?.increment();
    const sizes = (this.#sizes ??= this.#bindSizes());
    sizes.request.observe(requestBytes);
    sizes.response.observe(responseBytes);
  }

  #bind(path: string, method: string, status: number): ServerSeries {
    const values = [this.#appId, method, path, String(status)];
    return {
      method,
      status,
      requests: this.#requestCount.series(values),
      latency: this.#latency.series(values),
      responses: this.#responseCount?.series(values),
    };
  }

  #bindSizes(): { readonly request: Histogram; readonly response: Histogram } {
    return { request: this.#requestBytes.series([this.#appId]), response: this.#responseBytes.series([this.#appId]) };
  }
}

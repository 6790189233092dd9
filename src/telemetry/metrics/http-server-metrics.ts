import { httpServerMetrics } from "./names.ts";
import { PathLabels, type PathLabelOptions } from "./path-label.ts";
import { SERIES_PER_METRIC_MAX, type MetricFamily, type MetricRegistry } from "./registry.ts";
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

/** The bound series of one path, method and status. */
interface CallSeries {
  readonly method: string;
  readonly status: number;
  readonly requests: Counter;
  readonly latency: Histogram;
  /** Counted with increased cardinality only, as in Dapr. */
  readonly responses: Counter | undefined;
}

/** Counts calls of the HTTP API. Series are bound once per path label, method and status; a call costs two look-ups. */
export class HttpServerMetrics {
  readonly #appId: string;
  readonly #excludeVerbs: boolean;
  readonly #paths: PathLabels;
  readonly #requestCount: MetricFamily<Counter>;
  readonly #responseCount: MetricFamily<Counter> | undefined;
  readonly #latency: MetricFamily<Histogram>;
  readonly #requestBytes: MetricFamily<Histogram>;
  readonly #responseBytes: MetricFamily<Histogram>;
  readonly #calls = new Map<string, CallSeries[]>();
  #bound = 0;
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
    const series = this.#seriesOf(this.#paths.ofTarget(target), methodLabel(method, this.#excludeVerbs), status);
    series.requests.increment();
    series.latency.observe(latencyMs);
    series.responses?.increment();
    const sizes = (this.#sizes ??= this.#bindSizes());
    sizes.request.observe(requestBytes);
    sizes.response.observe(responseBytes);
  }

  #seriesOf(path: string, method: string, status: number): CallSeries {
    const known = this.#calls.get(path);
    if (known !== undefined) {
      for (const series of known) {
        if (series.status === status && series.method === method) {
          return series;
        }
      }
    }
    const values = [this.#appId, method, path, String(status)];
    const bound: CallSeries = {
      method,
      status,
      requests: this.#requestCount.series(values),
      latency: this.#latency.series(values),
      responses: this.#responseCount?.series(values),
    };
    if (this.#bound < SERIES_PER_METRIC_MAX) {
      this.#bound++;
      if (known === undefined) {
        this.#calls.set(path, [bound]);
      } else {
        known.push(bound);
      }
    }
    return bound;
  }

  #bindSizes(): { readonly request: Histogram; readonly response: Histogram } {
    return { request: this.#requestBytes.series([this.#appId]), response: this.#responseBytes.series([this.#appId]) };
  }
}

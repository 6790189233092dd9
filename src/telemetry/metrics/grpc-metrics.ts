import { goStatusName, GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import { grpcClientMetrics, grpcServerMetrics } from "./names.ts";
import { SERIES_PER_METRIC_MAX, type MetricFamily, type MetricRegistry } from "./registry.ts";
import type { Counter, Histogram } from "./series.ts";

interface StatusSeries {
  readonly completed: Counter;
  readonly latency: Histogram;
}

interface MethodSeries {
  readonly byStatus: (StatusSeries | undefined)[];
  /** Bound by the first unary call: streams are not measured. */
  sizes: { readonly received: Histogram; readonly sent: Histogram } | undefined;
}

interface Families {
  readonly receivedBytes: MetricFamily<Histogram>;
  readonly sentBytes: MetricFamily<Histogram>;
  readonly latency: MetricFamily<Histogram>;
  readonly completed: MetricFamily<Counter>;
}

/** Counts calls on one side; series are bound once per method and status. */
class RpcMetrics {
  readonly #appId: string;
  readonly #families: Families;
  readonly #methods = new Map<string, MethodSeries>();

  constructor(appId: string, families: Families) {
    this.#appId = appId;
    this.#families = families;
  }

  /** One unary call; sizes are those of the messages. `method` is the full name with its leading slash. */
  record(method: string, status: GrpcStatusCode, latencyMs: number, receivedBytes: number, sentBytes: number): void {
    const series = this.#methodSeries(method);
    this.#observe(series, method, status, latencyMs);
    const sizes = (series.sizes ??= this.#bindSizes(method));
    sizes.received.observe(receivedBytes);
    sizes.sent.observe(sentBytes);
  }

  /** One proxied stream, whose bytes Dapr does not count. */
  recordStream(method: string, status: GrpcStatusCode, latencyMs: number): void {
    this.#observe(this.#methodSeries(method), method, status, latencyMs);
  }

  #observe(series: MethodSeries, method: string, status: GrpcStatusCode, latencyMs: number): void {
    const bound = (series.byStatus[status] ??= this.#bindStatus(method, status));
    bound.completed.increment();
    bound.latency.observe(latencyMs);
  }

  #methodSeries(method: string): MethodSeries {
    const known = this.#methods.get(method);
    if (known !== undefined) {
      return known;
    }
    const created: MethodSeries = { byStatus: Object.keys(GRPC_STATUS).map(() => undefined), sizes: undefined };
    if (this.#methods.size < SERIES_PER_METRIC_MAX) {
      this.#methods.set(method, created);
    }
    return created;
  }

  #bindStatus(method: string, status: GrpcStatusCode): StatusSeries {
    const values = [this.#appId, method, goStatusName(status)];
    return { completed: this.#families.completed.series(values), latency: this.#families.latency.series(values) };
  }

  #bindSizes(method: string): { readonly received: Histogram; readonly sent: Histogram } {
    const values = [this.#appId, method];
    return { received: this.#families.receivedBytes.series(values), sent: this.#families.sentBytes.series(values) };
  }
}

/** Counts calls of the gRPC API. */
export class GrpcServerMetrics extends RpcMetrics {
  constructor(registry: MetricRegistry, appId: string) {
    super(appId, {
      receivedBytes: registry.histogram(grpcServerMetrics.receivedBytes),
      sentBytes: registry.histogram(grpcServerMetrics.sentBytes),
      latency: registry.histogram(grpcServerMetrics.latency),
      completed: registry.counter(grpcServerMetrics.completedRpcs),
    });
  }
}

/** Counts calls to the app and to peers over gRPC, and probes of the app's health. */
export class GrpcClientMetrics extends RpcMetrics {
  readonly #probeAppId: string;
  readonly #probes: MetricFamily<Counter>;
  readonly #probeLatency: MetricFamily<Histogram>;

  constructor(registry: MetricRegistry, appId: string) {
    super(appId, {
      receivedBytes: registry.histogram(grpcClientMetrics.receivedBytes),
      sentBytes: registry.histogram(grpcClientMetrics.sentBytes),
      latency: registry.histogram(grpcClientMetrics.latency),
      completed: registry.counter(grpcClientMetrics.completedRpcs),
    });
    this.#probeAppId = appId;
    this.#probes = registry.counter(grpcClientMetrics.probeCount);
    this.#probeLatency = registry.histogram(grpcClientMetrics.probeLatency);
  }

  recordProbe(status: GrpcStatusCode, latencyMs: number): void {
    const values = [this.#probeAppId, goStatusName(status)];
    this.#probes.series(values).increment();
    this.#probeLatency.series(values).observe(latencyMs);
  }
}

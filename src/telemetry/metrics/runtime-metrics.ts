import type { Logger } from "../../kit/logger.ts";
import { AccessControlMetrics } from "./access-control-metrics.ts";
import { ActorMetrics } from "./actor-metrics.ts";
import { type ComponentCallMetrics, createComponentCallMetrics } from "./component-calls.ts";
import { ComponentMetrics } from "./component-metrics.ts";
import { ConnectionMetrics } from "./connection-metrics.ts";
import { ErrorCodeMetrics } from "./error-code-metrics.ts";
import { GrpcClientMetrics, GrpcServerMetrics } from "./grpc-metrics.ts";
import { HttpClientMetrics } from "./http-client-metrics.ts";
import { HttpServerMetrics, type HttpMetricsOptions } from "./http-server-metrics.ts";
import { InvocationMetrics } from "./invocation-metrics.ts";
import { JobMetrics } from "./job-metrics.ts";
import type { LabelRule } from "./label-rules.ts";
import { MtlsMetrics } from "./mtls-metrics.ts";
import { collectProcessMetrics, type ProcessFacts } from "./process-metrics.ts";
import { PubSubCallMetrics } from "./pubsub-metrics.ts";
import { MetricRegistry } from "./registry.ts";
import { ReloadMetrics } from "./reload-metrics.ts";
import { ResiliencyMetrics } from "./resiliency-metrics.ts";
import { TracingMetrics } from "./tracing-metrics.ts";

/** `spec.metrics` (or `metric`) of a Configuration. */
export interface MetricsSettings {
  readonly http: HttpMetricsOptions;
  readonly recordErrorCodes: boolean;
  /** Milliseconds; Dapr's bounds when empty. */
  readonly latencyBucketsMs: readonly number[];
  readonly rules: readonly LabelRule[];
}

/** What 1.18.3 does without a Configuration. */
export const DEFAULT_METRICS_SETTINGS: MetricsSettings = {
  http: { increasedCardinality: true, pathMatching: [], excludeVerbs: false },
  recordErrorCodes: false,
  latencyBucketsMs: [],
  rules: [],
};

export interface RuntimeMetricsOptions {
  readonly appId: string;
  /** As the environment has it; empty: none. */
  readonly namespace: string;
  readonly settings: MetricsSettings;
  readonly logger: Logger;
  /** Absent: no `process_*` metrics. */
  readonly process?: ProcessFacts;
}

/** All metrics of one run of a sidecar; a restart by SIGHUP makes new ones. */
export interface RuntimeMetrics {
  readonly registry: MetricRegistry;
  readonly httpServer: HttpServerMetrics;
  readonly httpClient: HttpClientMetrics;
  readonly grpcServer: GrpcServerMetrics;
  readonly grpcClient: GrpcClientMetrics;
  readonly components: ComponentMetrics;
  readonly componentCalls: ComponentCallMetrics;
  readonly pubsub: PubSubCallMetrics;
  readonly jobs: JobMetrics;
  readonly connections: ConnectionMetrics;
  readonly invocation: InvocationMetrics;
  readonly accessControl: AccessControlMetrics;
  readonly actors: ActorMetrics;
  readonly resiliency: ResiliencyMetrics;
  readonly tracing: TracingMetrics;
  readonly mtls: MtlsMetrics;
  readonly reload: ReloadMetrics;
  /** Present when the Configuration asks for error codes. */
  readonly errorCodes: ErrorCodeMetrics | undefined;
}

/** @throws LabelRuleError or PathPatternError for settings that cannot be used */
export function createRuntimeMetrics(options: RuntimeMetricsOptions): RuntimeMetrics {
  const { appId, settings, logger } = options;
  const registry = new MetricRegistry({
    prefix: "dapr_",
    logger,
    latencyBucketsMs: settings.latencyBucketsMs,
    rules: settings.rules,
  });
  if (options.process !== undefined) {
    collectProcessMetrics(registry, options.process);
  }
  return {
    registry,
    httpServer: new HttpServerMetrics(registry, appId, settings.http),
    httpClient: new HttpClientMetrics(registry, appId, settings.http),
    grpcServer: new GrpcServerMetrics(registry, appId),
    grpcClient: new GrpcClientMetrics(registry, appId),
    components: new ComponentMetrics(registry, appId),
    componentCalls: createComponentCallMetrics(registry, options),
    pubsub: new PubSubCallMetrics(registry, options),
    jobs: new JobMetrics(registry, options),
    connections: new ConnectionMetrics(registry, appId),
    invocation: new InvocationMetrics(registry, appId),
    accessControl: new AccessControlMetrics(registry),
    actors: new ActorMetrics(registry, appId),
    resiliency: new ResiliencyMetrics(registry, appId),
    tracing: new TracingMetrics(registry, appId),
    mtls: new MtlsMetrics(registry, appId),
    reload: new ReloadMetrics(registry, appId),
    errorCodes: settings.recordErrorCodes ? new ErrorCodeMetrics(registry, appId) : undefined,
  };
}

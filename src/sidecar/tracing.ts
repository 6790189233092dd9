import type { Configuration } from "../resources/configuration.ts";
import type { RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import { tracingSettings } from "../telemetry/tracing/settings.ts";
import { openTracing, type Tracing } from "../telemetry/tracing/tracing.ts";
import type { AssemblyPlan } from "./plan.ts";

/**
 * `spec.tracing` and the environment's `OTEL_*` for one run. The back ends need not be there.
 *
 * @throws Error in Dapr's words for settings that cannot be used
 */
export async function openSidecarTracing(
  { options, deps }: AssemblyPlan,
  configuration: Configuration,
  metrics: RuntimeMetrics | undefined,
): Promise<Tracing> {
  const { environment, transport, clock, random, logger } = deps;
  try {
    const settings = tracingSettings(configuration.tracing, environment);
    return await openTracing(settings, {
      serviceName: options.appId,
      environment,
      transport,
      clock,
      random,
      logger: logger.scope("dapr.runtime"),
      observer: metrics?.tracing,
    });
  } catch (error) {
    throw new Error(`failed to setup tracing: ${(error as Error).message}`, { cause: error });
  }
}

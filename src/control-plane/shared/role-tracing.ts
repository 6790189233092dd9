import { NOTHING_WRITTEN, tracingSettings } from "../../telemetry/tracing/settings.ts";
import { openTracing, type Tracing } from "../../telemetry/tracing/tracing.ts";
import type { RoleDeps } from "./types.ts";

const OFF: Tracing = { doors: undefined, blocks: undefined, close: async () => {} };

/**
 * The tracing of a role, where `OTEL_EXPORTER_OTLP_ENDPOINT` or its form for traces says where spans go; Dapr's control
 * plane has none.
 *
 * @throws TracingSettingsError for variables that cannot be used
 */
export async function openRoleTracing(deps: RoleDeps): Promise<Tracing> {
  const { environment, serviceName, clock, random, transport, logger } = deps;
  if (environment === undefined) {
    return OFF;
  }
  const settings = tracingSettings(NOTHING_WRITTEN, environment);
  if (settings.otlp === undefined) {
    return OFF;
  }
  return await openTracing(settings, {
    serviceName: serviceName ?? "dapr",
    environment,
    transport,
    clock,
    random,
    logger,
  });
}

import { createHealth, type Health } from "../../blocks/control/health.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { type Listener, listen } from "../../net/http/listener.ts";
import { metricsHandler } from "../../telemetry/metrics/metrics-handler.ts";
import { collectProcessMetrics } from "../../telemetry/metrics/process-metrics.ts";
import { MetricRegistry } from "../../telemetry/metrics/registry.ts";
import { healthHandler } from "./health-server.ts";
import { listenAddress, listenText } from "./listen-address.ts";
import { openRoleTracing } from "./role-tracing.ts";
import type { HealthPage, RoleContext, RoleDeps, RoleService, RoleSettings, StartRole } from "./types.ts";

/** What is in flight on the health and metrics ports may take this long to end. */
const CLOSE_GRACE_MS = 1_000;

/**
 * Runs one role: health and metrics ports first, then the role's own part, until `stop` is aborted or the part fails.
 * Resolves after a graceful end. @throws what kept the role from starting, or ended it
 */
export async function runRole(
  settings: RoleSettings,
  deps: RoleDeps,
  start: StartRole,
  stop: CancelSignal,
): Promise<void> {
  const listeners: Listener[] = [];
  const tracing = await openRoleTracing(deps);
  try {
    const health = createHealth();
    const started = health.addTarget("role");
    const service = await start({
      ...(await openFrame(settings, deps, health, listeners, stop)),
      tracer: tracing.blocks,
    });
    started.ready();
    await serveUntil(service, stop);
  } catch (error) {
    if (!stop.aborted || error !== stop.reason) {
      throw error;
    }
  } finally {
    deps.logger.info("Healthz server is shutting down");
    await Promise.all([tracing.close(), ...listeners.map((listener) => listener.close(CLOSE_GRACE_MS))]);
  }
}

async function serveUntil(service: RoleService, stop: CancelSignal): Promise<void> {
  const asked = Promise.withResolvers<void>();
  const onAbort = (): void => asked.resolve();
  if (stop.aborted) {
    onAbort();
  }
  stop.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([asked.promise, service.failed]);
  } finally {
    await service.stop();
  }
}

async function openFrame(
  settings: RoleSettings,
  deps: RoleDeps,
  health: Health,
  listeners: Listener[],
  stopping: CancelSignal,
): Promise<RoleContext> {
  const { logger } = deps;
  const metrics = new MetricRegistry({ prefix: "dapr_", logger });
  if (deps.process !== undefined) {
    collectProcessMetrics(metrics, deps.process);
  }
  const pages = new Map<string, HealthPage>();
  const metricsTarget = health.addTarget("metrics-exporter");
  const healthTarget = health.addTarget("healthz-server");

  const healthListener = await listen(listenAddress(settings.healthListenAddress, settings.healthPort), {
    http: healthHandler(health, pages, logger),
  });
  listeners.push(healthListener);
  logger.info(`Healthz server is listening on ${healthListener.address}`);
  healthTarget.ready();

  if (settings.metricsEnabled) {
    const listener = await listen(listenAddress(settings.metricsListenAddress, settings.metricsPort), {
      http: metricsHandler(metrics),
    });
    listeners.push(listener);
    logger.info(`metrics server started on ${listenText(settings.metricsListenAddress, listener.port)}/`);
  }
  metricsTarget.ready();
  return {
    ...deps,
    stopping,
    metrics,
    addHealthTarget: (name) => health.addTarget(name),
    addHealthPage: (path, page) => void pages.set(path, page),
  };
}

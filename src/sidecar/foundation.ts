import { errorMessage } from "../kit/error-message.ts";
import { ChangingResiliency } from "../resiliency/changing-resiliency.ts";
import { createResiliency } from "../resiliency/resiliency.ts";
import { type Configuration, loadConfiguration } from "../resources/configuration.ts";
import { loadResources } from "../resources/sources/files.ts";
import type { LoadedResources } from "../resources/types.ts";
import { createRuntimeMetrics, type RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import { createAccessCheck } from "./access-control.ts";
import { checkConfiguration, metricsSettings, metricSpecText } from "./configured.ts";
import { CutOffObserver, watchedTransport } from "./cut-offs.ts";
import { openSidecarIdentity } from "./identity.ts";
import { Listeners } from "./listeners.ts";
import type { AssemblyPlan, Foundation } from "./plan.ts";
import { ResourcesInUse } from "./resources-in-use.ts";
import { openSidecarTracing } from "./tracing.ts";
import type { UndoSteps } from "./undo-steps.ts";

/**
 * Reads what was written for the sidecar, and opens what is needed before anything of it can be loaded.
 * @throws Error for a Configuration or resources that cannot be used
 */
export async function layFoundation(given: AssemblyPlan, undo: UndoSteps): Promise<Foundation> {
  const { options, deps } = given;
  const { logger } = deps;
  const configuration = await loadConfiguration(options.configPaths, deps.environment, (place, message) =>
    logger.warn(`${place.file}:${place.line}:${place.column}: ${message}`),
  );
  checkConfiguration(configuration, logger);
  const resources = await loadAllResources(given);
  const metrics = createMetrics(given, configuration);
  const access = createAccessCheck(configuration, options, metrics, logger);
  const plan = withWatchedTransport(given, metrics);
  const identity = await openSidecarIdentity(plan, metrics);
  undo.add(() => identity?.close());
  const tracing = await openSidecarTracing(plan, configuration, metrics);
  undo.add(() => tracing.close());
  const resiliency = await createResiliency({
    ...deps,
    documents: resources.resiliencies,
    logger: logger.scope("dapr.runtime"),
    observer: metrics?.resiliency,
  });
  const listeners = new Listeners(plan.deps.transport, logger);
  undo.add(() => listeners.close(0));
  return {
    ...plan,
    configuration,
    resources: new ResourcesInUse(resources),
    metrics,
    access,
    identity,
    tracing,
    resiliency: new ChangingResiliency(resiliency),
    listeners,
  };
}

/** Dapr's words stand before the reason, since scripts look for them in the last line of the log. */
async function loadAllResources({ options, deps }: AssemblyPlan): Promise<LoadedResources> {
  const { appId, namespace, resourcesPaths } = options;
  try {
    return await loadResources({ paths: resourcesPaths, namespace, appId, logger: deps.logger });
  } catch (error) {
    throw new Error(`failed to load components: ${errorMessage(error)}`, { cause: error });
  }
}

function createMetrics({ options, deps }: AssemblyPlan, configuration: Configuration): RuntimeMetrics | undefined {
  if (!options.metrics.enabled || !configuration.metrics.enabled) {
    return undefined;
  }
  deps.logger.info(`metric spec: ${metricSpecText(configuration)}`);
  return createRuntimeMetrics({
    appId: options.appId,
    namespace: options.namespace,
    settings: metricsSettings(configuration),
    logger: deps.logger,
    ...(deps.process === undefined ? {} : { process: deps.process }),
  });
}

/** Every connection of the sidecar, to it and from it, tells in log and metrics when it is cut off. */
function withWatchedTransport(plan: AssemblyPlan, metrics: RuntimeMetrics | undefined): AssemblyPlan {
  const { deps } = plan;
  const observer = new CutOffObserver(deps.logger, deps.clock, metrics?.connections);
  return { ...plan, deps: { ...deps, transport: watchedTransport(deps.transport, observer) } };
}

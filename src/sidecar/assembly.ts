import type { InputBindings } from "../blocks/bindings/input-bindings.ts";
import type { JobTriggers } from "../blocks/jobs/job-triggers.ts";
import type { Outbox } from "../blocks/outbox/outbox.ts";
import type { Subscriptions } from "../blocks/pubsub/subscriptions.ts";
import type { ComponentManifest } from "../components/spi/component.ts";
import type { NameResolver } from "../components/spi/name-resolution.ts";
import { createInventory, type InventoryOptions } from "../inventory/inventory.ts";
import type { Inventory } from "../inventory/types.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import type { HttpHandler } from "../net/http/types.ts";
import { ChangingResiliency } from "../resiliency/changing-resiliency.ts";
import { createResiliency } from "../resiliency/resiliency.ts";
import { type Configuration, loadConfiguration } from "../resources/configuration.ts";
import { loadResources } from "../resources/sources/files.ts";
import type { LoadedResources } from "../resources/types.ts";
import type { SchedulerClient } from "../scheduling/types.ts";
import type { WorkloadIdentity } from "../security/identity.ts";
import { createRuntimeMetrics, type RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import type { Tracing } from "../telemetry/tracing/tracing.ts";
import { createAccessCheck } from "./access-control.ts";
import { createActors } from "./actors.ts";
import { type AppConnectionParts, connectApp } from "./app-connection.ts";
import { AppHealthSwitch } from "./app-health-switch.ts";
import { createBlocks } from "./blocks.ts";
import { componentTypes } from "./component-types.ts";
import { checkConfiguration, checkSecretScopes, metricsSettings, metricSpecText } from "./configured.ts";
import { CutOffObserver, watchedTransport } from "./cut-offs.ts";
import { createDoors } from "./doors.ts";
import { hostAddress } from "./host-address.ts";
import { openSidecarIdentity } from "./identity.ts";
import { openInternalPort } from "./internal-port.ts";
import { Listeners } from "./listeners.ts";
import { createNameResolver } from "./name-resolution.ts";
import { namespaceOf } from "./namespace.ts";
import type { SidecarOptions } from "./options.ts";
import { createOutgoing, loadEndpoints, type Outgoing } from "./outgoing.ts";
import { grpcClientObserver } from "./observers.ts";
import type { AssemblyPlan } from "./plan.ts";
import { createPipelines } from "./pipelines.ts";
import { createReloader, followsResources } from "./reload/create-reloader.ts";
import type { Reloader } from "./reload/reloader.ts";
import { createScheduler } from "./scheduling.ts";
import { subscriptionSpec } from "./subscription-spec.ts";
import { openSidecarTracing } from "./tracing.ts";
import type { SidecarBlocks, SidecarPorts } from "./types.ts";

/** What one run of a sidecar consists of, open for calls. */
export interface Assembly {
  readonly ports: SidecarPorts;
  readonly http: HttpHandler;
  readonly blocks: SidecarBlocks;
  readonly app: AppConnectionParts | undefined;
  readonly appHealth: AppHealthSwitch;
  readonly subscriptions: Subscriptions;
  readonly inputBindings: InputBindings;
  readonly jobTriggers: JobTriggers;
  readonly scheduler: SchedulerClient | undefined;
  readonly outbox: Outbox;
  readonly inventory: Inventory;
  readonly listeners: Listeners;
  readonly resolver: NameResolver | undefined;
  readonly outgoing: Outgoing;
  /** Undefined: changes of resources are not followed. */
  readonly reloader: Reloader | undefined;
  readonly tracing: Tracing;
  readonly identity: WorkloadIdentity | undefined;
}

/**
 * Starts everything that does not need the app, in Dapr's order: configuration, metrics, name resolution, components,
 * subscriptions, app channel, API doors, internal door. What was opened is closed again when a step fails.
 */
export async function assemble(plan: AssemblyPlan): Promise<Assembly> {
  const { options, deps } = plan;
  const { logger } = deps;
  const configuration = await loadConfiguration(options.configPaths, deps.environment, (place, message) =>
    logger.warn(`${place.file}:${place.line}:${place.column}: ${message}`),
  );
  checkConfiguration(configuration, logger);
  const resources = await loadAllResources(plan);
  const undo: (() => Promise<void>)[] = [];
  try {
    return await open(plan, configuration, resources, undo);
  } catch (error) {
    for (const close of undo.toReversed()) {
      await close().catch((closeError: unknown) => logger.warn(`error while closing: ${errorMessage(closeError)}`));
    }
    throw error;
  }
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

async function open(
  given: AssemblyPlan,
  configuration: Configuration,
  resources: LoadedResources,
  undo: (() => Promise<void>)[],
): Promise<Assembly> {
  const metrics = createMetrics(given, configuration);
  const access = createAccessCheck(configuration, given.options, metrics, given.deps.logger);
  const watched = withWatchedTransport(given, metrics);
  const identity = await openSidecarIdentity(watched, metrics);
  undo.push(async () => identity?.close());
  const tracing = await openSidecarTracing(watched, configuration, metrics);
  undo.push(() => tracing.close());
  const plan: AssemblyPlan = { ...watched, identity, tracing };
  const { options, deps, signal } = plan;
  const { logger } = deps;
  const resiliency = new ChangingResiliency(
    await createResiliency({
      ...deps,
      documents: resources.resiliencies,
      logger: logger.scope("dapr.runtime"),
      observer: metrics?.resiliency,
    }),
  );
  const listeners = new Listeners(deps.transport, logger);
  undo.push(() => listeners.close(0));
  const inventory = createInventory(inventoryOptions(plan, configuration, metrics, await componentTypes(plan)));
  undo.push(() => inventory.close());
  const appHealth = new AppHealthSwitch();
  const pipelines = createPipelines(configuration, inventory.middleware, logger);
  const app = await connectApp(options, deps.app, deps.transport, {
    ...deps,
    pipeline: pipelines.app,
    isHealthy: () => appHealth.healthy,
    observer: metrics?.httpClient,
    grpcObserver: grpcClientObserver(metrics),
    initRetries: resiliency.builtIn("DaprBuiltInInitializationRetries"),
  });
  undo.push(async () => void (await Promise.all([app?.channel.close(), app?.passage?.close()])));
  const resolver = await openResolver(plan, configuration, signal);
  undo.push(async () => await resolver?.close());
  const outgoing = createOutgoing(plan, resolver, resiliency, pipelines.app, metrics);
  undo.push(async () => void (await Promise.all([outgoing.mesh.close(), outgoing.endpoints.close()])));
  const scheduler = await createScheduler(plan, metrics);
  undo.push(async () => await scheduler?.close());
  const internalPort = await openInternalPort(plan, listeners);
  undo.push(async () => internalPort?.abandon());
  const actors = await createActors(plan, {
    configuration,
    inventory,
    outgoing,
    resiliency,
    metrics,
    internalPort,
    scheduler,
  });
  undo.push(() => actors.close());
  const late: { reloader: Reloader | undefined } = { reloader: undefined };
  const { blocks, subscriptions, inputBindings, jobTriggers, outbox } = createBlocks(
    plan,
    configuration,
    resources,
    inventory,
    app,
    outgoing,
    metrics,
    resiliency,
    scheduler,
    actors,
    () => late.reloader,
    access,
  );
  undo.push(
    async () => void (await Promise.all([subscriptions.close(), inputBindings.close(), blocks.configuration.close()])),
  );

  undo.push(() => outbox.close());

  await inventory.load(resources.components, signal);
  await loadEndpoints(outgoing, plan, resources, inventory);
  // Before the doors open: an event published where nobody has subscribed yet would be lost.
  await outbox.start();
  checkSecretScopes(configuration, inventory, logger);
  await declareSubscriptions(subscriptions, resources, logger);
  const passages = { app: app?.passage, mesh: outgoing.mesh, resiliency, access };
  const doors = createDoors({
    plan,
    configuration,
    metrics,
    blocks,
    listeners,
    internalPort,
    appChannel: app?.channel,
    pipeline: pipelines.server,
    passages,
  });
  scheduler?.start();
  const ports = await doors.open();
  await announce(plan, resolver, ports);
  actors.start();
  late.reloader = createReloader(plan, {
    configuration,
    resources,
    inventory,
    subscriptions,
    outgoing,
    resiliency,
    metrics,
  });
  return {
    ports,
    http: doors.http,
    blocks,
    app,
    appHealth,
    subscriptions,
    inputBindings,
    jobTriggers,
    scheduler,
    outbox,
    inventory,
    listeners,
    resolver,
    outgoing,
    reloader: late.reloader,
    tracing,
    identity,
  };
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

function inventoryOptions(
  plan: AssemblyPlan,
  configuration: Configuration,
  metrics: RuntimeMetrics | undefined,
  manifests: readonly ComponentManifest[],
): InventoryOptions {
  const { options, deps } = plan;
  const components = metrics?.components;
  const base = {
    ...deps,
    appId: options.appId,
    namespace: options.namespace,
    manifests,
    podName: deps.environment["POD_NAME"] ?? "",
    denied: configuration.components.deny,
    strictSandbox: configuration.wasm.strictSandbox,
    componentFailures: deps.componentFailures,
    drains: followsResources(plan, configuration),
  };
  if (components === undefined) {
    return base;
  }
  return {
    ...base,
    observer: {
      componentLoaded: () => components.loaded(),
      componentInitialized: (type) => components.initialized(type),
      componentInitFailed: (type, reason, name) => components.initFailed(type, reason, name),
    },
  };
}

function ownAddress(options: SidecarOptions): string {
  return hostAddress(options.internalListenAddress, options.hostAddress);
}

/** A resolver that does not come up costs the calls to other apps, not the sidecar, as in Dapr. */
async function openResolver(
  { options, deps }: AssemblyPlan,
  configuration: Configuration,
  signal: AbortSignal,
): Promise<NameResolver | undefined> {
  try {
    return await createNameResolver(
      configuration.nameResolution,
      deps.nameResolution,
      { ...deps, appId: options.appId, namespace: namespaceOf(options) },
      signal,
    );
  } catch (error) {
    deps.logger.error(`failed to init name resolution, other apps cannot be called: ${errorMessage(error)}`);
    return undefined;
  }
}

/** A rule that does not parse loses its subscription, not the sidecar, as in Dapr. */
async function declareSubscriptions(
  subscriptions: Subscriptions,
  resources: LoadedResources,
  logger: Logger,
): Promise<void> {
  for (const resource of resources.subscriptions) {
    try {
      await subscriptions.declare(resource.name, subscriptionSpec(resource), resource.origin);
    } catch (error) {
      logger.error(
        `${resource.origin.file}:${resource.origin.line}: subscription ${resource.name} is left out: ${errorMessage(error)}`,
      );
    }
  }
}

async function announce(
  { options }: AssemblyPlan,
  resolver: NameResolver | undefined,
  ports: SidecarPorts,
): Promise<void> {
  if (resolver === undefined || ports.internalGrpc === undefined) {
    return;
  }
  await resolver.announce({
    appId: options.appId,
    namespace: namespaceOf(options),
    address: ownAddress(options),
    internalGrpcPort: ports.internalGrpc,
    httpPort: ports.http ?? 0,
    appPort: options.appPort,
  });
}

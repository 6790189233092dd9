import { hostname } from "node:os";
import type { InputBindings } from "../blocks/bindings/input-bindings.ts";
import type { Subscriptions } from "../blocks/pubsub/subscriptions.ts";
import type { NameResolver } from "../components/spi/name-resolution.ts";
import { createInventory, type InventoryOptions } from "../inventory/inventory.ts";
import type { Inventory } from "../inventory/types.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import { Mesh } from "../mesh/mesh.ts";
import { createGrpcClient } from "../net/grpc/client.ts";
import type { HttpHandler } from "../net/http/types.ts";
import { type Configuration, loadConfiguration } from "../resources/configuration.ts";
import { loadResources } from "../resources/sources/files.ts";
import type { LoadedResources } from "../resources/types.ts";
import { createRuntimeMetrics, type RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import { type AppConnectionParts, connectApp } from "./app-connection.ts";
import { AppHealthSwitch } from "./app-health-switch.ts";
import { createBlocks } from "./blocks.ts";
import { checkConfiguration, checkResources, checkSecretScopes, metricsSettings } from "./configured.ts";
import { CutOffObserver, watchedTransport } from "./cut-offs.ts";
import { createDoors } from "./doors.ts";
import { COMPONENT_MANIFESTS } from "./families.ts";
import { hostAddress } from "./host-address.ts";
import { Listeners } from "./listeners.ts";
import { createNameResolver } from "./name-resolution.ts";
import { namespaceOf } from "./namespace.ts";
import { messageBytesMax, type SidecarOptions } from "./options.ts";
import type { AssemblyPlan } from "./plan.ts";
import { subscriptionSpec } from "./subscription-spec.ts";
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
  readonly inventory: Inventory;
  readonly listeners: Listeners;
  readonly resolver: NameResolver | undefined;
  readonly mesh: Mesh;
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
  checkResources(resources, logger);
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
  const plan = withWatchedTransport(given, metrics);
  const { options, deps, signal } = plan;
  const { logger } = deps;
  const listeners = new Listeners(deps.transport, logger);
  undo.push(() => listeners.close(0));
  const inventory = createInventory(inventoryOptions(plan, configuration, metrics));
  undo.push(() => inventory.close());
  const appHealth = new AppHealthSwitch();
  const app = await connectApp(options, deps.app, deps.transport, { ...deps, isHealthy: () => appHealth.healthy });
  undo.push(async () => await app?.channel.close());
  const resolver = await openResolver(plan, configuration, signal);
  undo.push(async () => await resolver?.close());
  const mesh = createMesh(plan, resolver);
  undo.push(() => mesh.close());
  const { blocks, subscriptions, inputBindings } = createBlocks(plan, configuration, resources, inventory, app, mesh);
  undo.push(
    async () => void (await Promise.all([subscriptions.close(), inputBindings.close(), blocks.configuration.close()])),
  );

  await inventory.load(resources.components, signal);
  checkSecretScopes(configuration, inventory, logger);
  await declareSubscriptions(subscriptions, resources, logger);
  const doors = createDoors({ plan, configuration, metrics, blocks, listeners, appChannel: app?.channel });
  const ports = await doors.open();
  await announce(plan, resolver, ports);
  return {
    ports,
    http: doors.http,
    blocks,
    app,
    appHealth,
    subscriptions,
    inputBindings,
    inventory,
    listeners,
    resolver,
    mesh,
  };
}

function createMetrics({ options, deps }: AssemblyPlan, configuration: Configuration): RuntimeMetrics | undefined {
  if (!options.metrics.enabled || !configuration.metrics.enabled) {
    return undefined;
  }
  return createRuntimeMetrics({
    appId: options.appId,
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
  { options, deps }: AssemblyPlan,
  configuration: Configuration,
  metrics: RuntimeMetrics | undefined,
): InventoryOptions {
  const components = metrics?.components;
  const base = {
    ...deps,
    appId: options.appId,
    namespace: options.namespace,
    manifests: COMPONENT_MANIFESTS,
    podName: deps.environment["POD_NAME"] ?? "",
    denied: configuration.components.deny,
    componentFailures: deps.componentFailures,
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

function createMesh({ options, deps }: AssemblyPlan, resolver: NameResolver | undefined): Mesh {
  return new Mesh({
    ...deps,
    appId: options.appId,
    namespace: namespaceOf(options),
    hostAddress: ownAddress(options),
    hostName: hostname(),
    resolver: () => resolver,
    connect: (address) =>
      createGrpcClient(deps.transport, address, { messageBytesMax: messageBytesMax(options.maxBodyBytes) }),
  });
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
      await subscriptions.declare(resource.name, subscriptionSpec(resource));
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
  });
}

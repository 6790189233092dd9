import type { ActorsBlock } from "../blocks/actors/actors-block.ts";
import type { NameResolver } from "../components/spi/name-resolution.ts";
import { createInventory, type InventoryOptions } from "../inventory/inventory.ts";
import type { Inventory } from "../inventory/types.ts";
import type { ComponentManifest } from "../components/spi/component.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { SchedulerClient } from "../scheduling/types.ts";
import { createActors } from "./actors.ts";
import { type AppConnectionParts, connectApp } from "./app-connection.ts";
import { AppHealthSwitch } from "./app-health-switch.ts";
import { componentTypes } from "./component-types.ts";
import { type InternalPort, openInternalPort } from "./internal-port.ts";
import { createNameResolver } from "./name-resolution.ts";
import { namespaceOf } from "./namespace.ts";
import { grpcClientObserver } from "./observers.ts";
import { createOutgoing, type Outgoing } from "./outgoing.ts";
import { createPipelines, type Pipelines } from "./pipelines.ts";
import type { Foundation } from "./plan.ts";
import { followsResources } from "./reload/create-reloader.ts";
import { createScheduler } from "./scheduling.ts";
import type { UndoSteps } from "./undo-steps.ts";

/** Whom a sidecar speaks with: its components, its app, other sidecars, the control plane. */
export interface Connections {
  /** Empty until its components are loaded. */
  readonly inventory: Inventory;
  readonly pipelines: Pipelines;
  /** Undefined: there is none. */
  readonly app: AppConnectionParts | undefined;
  readonly appHealth: AppHealthSwitch;
  /** Undefined: it did not come up. */
  readonly resolver: NameResolver | undefined;
  readonly outgoing: Outgoing;
  readonly scheduler: SchedulerClient | undefined;
  readonly internalPort: InternalPort | undefined;
  readonly actors: ActorsBlock;
}

/** Makes them; but for the internal port, which takes its place, and name resolution, nothing is connected yet. */
export async function createConnections(base: Foundation, undo: UndoSteps): Promise<Connections> {
  const { options, deps, configuration, metrics, resiliency } = base;
  const inventory = createInventory(inventoryOptions(base, await componentTypes(base)));
  undo.add(() => inventory.close());
  const appHealth = new AppHealthSwitch();
  const pipelines = createPipelines(configuration, inventory.middleware, deps.logger);
  const app = await connectApp(options, deps.app, deps.transport, {
    ...deps,
    pipeline: pipelines.app,
    isHealthy: () => appHealth.healthy,
    observer: metrics?.httpClient,
    grpcObserver: grpcClientObserver(metrics),
    initRetries: resiliency.builtIn("DaprBuiltInInitializationRetries"),
  });
  undo.add(() => Promise.all([app?.channel.close(), app?.passage?.close()]));
  const resolver = await openResolver(base);
  undo.add(() => resolver?.close());
  const outgoing = createOutgoing(base, resolver, pipelines.app);
  undo.add(() => Promise.all([outgoing.mesh.close(), outgoing.endpoints.close()]));
  const scheduler = await createScheduler(base);
  undo.add(() => scheduler?.close());
  const internalPort = await openInternalPort(base);
  undo.add(() => internalPort?.abandon());
  const actors = await createActors(base, { inventory, outgoing, internalPort, scheduler });
  undo.add(() => actors.close());
  return { inventory, pipelines, app, appHealth, resolver, outgoing, scheduler, internalPort, actors };
}

function inventoryOptions(base: Foundation, manifests: readonly ComponentManifest[]): InventoryOptions {
  const { options, deps, configuration } = base;
  const components = base.metrics?.components;
  return {
    ...deps,
    appId: options.appId,
    namespace: options.namespace,
    manifests,
    podName: deps.environment["POD_NAME"] ?? "",
    denied: configuration.components.deny,
    strictSandbox: configuration.wasm.strictSandbox,
    componentFailures: deps.componentFailures,
    drains: followsResources(base),
    ...(components === undefined
      ? {}
      : {
          observer: {
            componentLoaded: () => components.loaded(),
            componentInitialized: (type) => components.initialized(type),
            componentInitFailed: (type, reason, name) => components.initFailed(type, reason, name),
          },
        }),
  };
}

/** A resolver that does not come up costs the calls to other apps, not the sidecar, as in Dapr. */
async function openResolver({ options, deps, configuration, signal }: Foundation): Promise<NameResolver | undefined> {
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

import type { Subscriptions } from "../blocks/pubsub/subscriptions.ts";
import type { NameResolver } from "../components/spi/name-resolution.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import type { HttpHandler } from "../net/http/types.ts";
import type { LoadedResources } from "../resources/types.ts";
import { type BlockParts, createBlocks } from "./blocks.ts";
import { checkSecretScopes } from "./configured.ts";
import { type Connections, createConnections } from "./connections.ts";
import { createDoors } from "./doors.ts";
import { layFoundation } from "./foundation.ts";
import { hostAddress } from "./host-address.ts";
import { namespaceOf } from "./namespace.ts";
import { loadEndpoints } from "./outgoing.ts";
import type { AssemblyPlan, Foundation } from "./plan.ts";
import { createReloader } from "./reload/create-reloader.ts";
import type { Reloader } from "./reload/reloader.ts";
import { subscriptionSpec } from "./subscription-spec.ts";
import type { SidecarPorts } from "./types.ts";
import { UndoSteps } from "./undo-steps.ts";

/** What one run of a sidecar consists of, open for calls. */
export interface Assembly extends Connections, BlockParts {
  readonly base: Foundation;
  readonly http: HttpHandler;
  readonly ports: SidecarPorts;
  /** Undefined: changes of resources are not followed. */
  readonly reloader: Reloader | undefined;
}

/**
 * Starts everything that does not need the app, in Dapr's order: configuration, metrics, name resolution, components,
 * subscriptions, app channel, API doors, internal door. What was opened is closed again when a step fails.
 */
export async function assemble(plan: AssemblyPlan): Promise<Assembly> {
  const undo = new UndoSteps();
  try {
    const base = await layFoundation(plan, undo);
    const connections = await createConnections(base, undo);
    return await open(base, connections, undo);
  } catch (error) {
    await undo.run(plan.deps.logger);
    throw error;
  }
}

async function open(base: Foundation, connections: Connections, undo: UndoSteps): Promise<Assembly> {
  const { resources, configuration, deps, signal } = base;
  const { inventory, outgoing, resolver, scheduler, actors } = connections;
  const parts = createBlocks(base, connections);
  const { blocks, subscriptions, inputBindings, outbox } = parts;
  undo.add(() => Promise.all([subscriptions.close(), inputBindings.close(), blocks.configuration.close()]));
  undo.add(() => outbox.close());

  await inventory.load(resources.current.components, signal);
  await loadEndpoints(outgoing, base, inventory);
  // Before the doors open: an event published where nobody has subscribed yet would be lost.
  await outbox.start();
  checkSecretScopes(configuration, inventory, deps.logger);
  await declareSubscriptions(subscriptions, resources.current, deps.logger);
  const doors = createDoors({ base, connections, blocks });
  scheduler?.start();
  const ports = await doors.open();
  await announce(base, resolver, ports);
  actors.start();
  const reloader = createReloader(base, { inventory, subscriptions, outgoing });
  return { ...connections, ...parts, base, http: doors.http, ports, reloader };
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
  { options }: Foundation,
  resolver: NameResolver | undefined,
  ports: SidecarPorts,
): Promise<void> {
  if (resolver === undefined || ports.internalGrpc === undefined) {
    return;
  }
  await resolver.announce({
    appId: options.appId,
    namespace: namespaceOf(options),
    address: hostAddress(options.internalListenAddress, options.hostAddress),
    internalGrpcPort: ports.internalGrpc,
    httpPort: ports.http ?? 0,
    appPort: options.appPort,
  });
}

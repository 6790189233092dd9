import { createBindingsBlock } from "../blocks/bindings/bindings-block.ts";
import { createInputBindings, type InputBindings } from "../blocks/bindings/input-bindings.ts";
import { createConfigurationBlock } from "../blocks/configuration/configuration-block.ts";
import { createMetadataBlock } from "../blocks/control/metadata.ts";
import { InvocationBlock } from "../blocks/invocation/invocation.ts";
import { createLockBlock } from "../blocks/lock/lock-block.ts";
import { createPubSubBlock } from "../blocks/pubsub/pubsub-block.ts";
import { createSubscriptions, type Subscriptions } from "../blocks/pubsub/subscriptions.ts";
import { createSecretsBlock } from "../blocks/secrets/secrets-block.ts";
import { createStateBlock } from "../blocks/state/state-block.ts";
import type { Inventory } from "../inventory/types.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { Configuration } from "../resources/configuration.ts";
import type { LoadedResources } from "../resources/types.ts";
import type { AppConnectionParts } from "./app-connection.ts";
import { appConnectionMetadata } from "./app-metadata.ts";
import type { AssemblyPlan } from "./plan.ts";
import { namespaceOf } from "./namespace.ts";
import type { SidecarBlocks } from "./types.ts";
import { RUNTIME_VERSION } from "./version.ts";

/** The building blocks, and those of their parts that follow the app. */
export interface BlockParts {
  readonly blocks: SidecarBlocks;
  readonly subscriptions: Subscriptions;
  readonly inputBindings: InputBindings;
}

/** Makes all blocks of one sidecar over an inventory that may still be empty: they follow it. */
export function createBlocks(
  plan: AssemblyPlan,
  configuration: Configuration,
  resources: LoadedResources,
  inventory: Inventory,
  app: AppConnectionParts | undefined,
  mesh: Mesh,
): BlockParts {
  const { options, deps } = plan;
  const identity = { appId: options.appId, namespace: options.namespace };
  const state = createStateBlock({ ...deps, ...identity, stores: inventory.state });
  const pubsub = createPubSubBlock({ ...deps, ...identity, brokers: inventory.pubsub });
  const programmaticEnabled = !options.disableInitEndpoints.includes("subscribe");
  const subscriptions = createSubscriptions({ ...deps, block: pubsub, programmaticEnabled });
  const invocation = new InvocationBlock({
    appId: options.appId,
    namespace: namespaceOf(options),
    appChannel: () => app?.channel,
    remote: mesh,
  });
  const bindings = createBindingsBlock(inventory);
  const inputBindings = createInputBindings({
    ...deps,
    bindings: inventory.bindings,
    state,
    outputs: bindings,
    discoveryTimeoutMs: options.bindingDiscoveryTimeoutMs,
  });
  const more = {
    bindings,
    secrets: createSecretsBlock({ ...deps, stores: inventory.secretstores, scopes: configuration.secretScopes }),
    configuration: createConfigurationBlock({ ...deps, stores: inventory.configuration }),
    lock: createLockBlock({ stores: inventory.lock, appId: options.appId }),
  };
  const metadata = createMetadataBlock({
    id: options.appId,
    runtimeVersion: RUNTIME_VERSION,
    enabledFeatures: configuration.enabledFeatures,
    httpEndpoints: resources.httpEndpoints.map((endpoint) => endpoint.name),
    resiliencies: resources.resiliencies.map((resiliency) => resiliency.name),
    appConnection: appConnectionMetadata(options),
    components: () => inventory.components(),
    subscriptions: () => subscriptions.list().map(({ spec, type }) => ({ ...spec, type })),
  });
  return {
    blocks: { state, pubsub, invocation, ...more, control: plan.control(metadata), components: inventory },
    subscriptions,
    inputBindings,
  };
}

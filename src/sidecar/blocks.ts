import { PoliciesByName } from "../blocks/component-policy.ts";
import { createBindingsBlock } from "../blocks/bindings/bindings-block.ts";
import { createInputBindings, type InputBindings } from "../blocks/bindings/input-bindings.ts";
import { createConfigurationBlock } from "../blocks/configuration/configuration-block.ts";
import { createConversationBlock } from "../blocks/conversation/conversation-block.ts";
import { createCryptoBlock } from "../blocks/crypto/crypto-block.ts";
import { createMetadataBlock } from "../blocks/control/metadata.ts";
import { createJobsBlock } from "../blocks/jobs/jobs-block.ts";
import { createJobTriggers, type JobTriggers } from "../blocks/jobs/job-triggers.ts";
import { InvocationBlock } from "../blocks/invocation/invocation.ts";
import { createLockBlock } from "../blocks/lock/lock-block.ts";
import { createOutbox, type Outbox } from "../blocks/outbox/outbox.ts";
import { createPubSubBlock } from "../blocks/pubsub/pubsub-block.ts";
import { createSubscriptions, type Subscriptions } from "../blocks/pubsub/subscriptions.ts";
import { createSecretsBlock } from "../blocks/secrets/secrets-block.ts";
import { createStateBlock } from "../blocks/state/state-block.ts";
import type { Resource } from "../resources/resource.ts";
import { appConnectionMetadata } from "./app-metadata.ts";
import type { Connections } from "./connections.ts";
import type { Foundation } from "./plan.ts";
import { namespaceOf } from "./namespace.ts";
import type { SidecarBlocks } from "./types.ts";
import { RUNTIME_VERSION } from "./version.ts";

/** The building blocks, and those of their parts that follow the app. */
export interface BlockParts {
  readonly blocks: SidecarBlocks;
  readonly subscriptions: Subscriptions;
  readonly inputBindings: InputBindings;
  readonly jobTriggers: JobTriggers;
  /** Runs without the app. */
  readonly outbox: Outbox;
}

/** Makes all blocks of one sidecar over an inventory that may still be empty: they follow it. */
export function createBlocks(base: Foundation, connections: Connections): BlockParts {
  const { options, configuration, resources, metrics, resiliency, access, tracing } = base;
  const { inventory, app, outgoing, scheduler, actors } = connections;
  const deps = { ...base.deps, policies: resiliency, tracer: tracing.blocks };
  const identity = { appId: options.appId, namespace: options.namespace };
  const calls = metrics?.componentCalls;
  // Topics carry a namespace even where there is none.
  const atBrokers = { appId: options.appId, namespace: namespaceOf(options) };
  const pubsub = createPubSubBlock({ ...deps, ...atBrokers, brokers: inventory.pubsub, metrics: metrics?.pubsub });
  const outbox = createOutbox({ ...deps, ...atBrokers, stores: inventory.state, pubsub });
  const state = createStateBlock({ ...deps, ...identity, stores: inventory.state, calls: calls?.state, outbox });
  const programmaticEnabled = !options.disableInitEndpoints.includes("subscribe");
  const subscriptions = createSubscriptions({ ...deps, block: pubsub, programmaticEnabled, metrics: metrics?.pubsub });
  const invocation = new InvocationBlock({
    appId: options.appId,
    namespace: namespaceOf(options),
    appChannel: () => app?.channel,
    remote: outgoing.mesh,
    endpoints: outgoing.endpoints,
    resiliency,
    access,
    metrics: metrics?.invocation,
  });
  const bindings = createBindingsBlock({ ...deps, bindings: inventory.bindings, calls: calls?.outputBindings });
  const inputBindings = createInputBindings({
    ...deps,
    bindings: inventory.bindings,
    state,
    outputs: bindings,
    calls: calls?.inputBindings,
    discoveryTimeoutMs: options.bindingDiscoveryTimeoutMs,
  });
  const conversationPolicies = new PoliciesByName(resiliency, "Conversation", "outbound");
  const more = {
    bindings,
    secrets: createSecretsBlock({
      ...deps,
      stores: inventory.secretstores,
      scopes: configuration.secretScopes,
      calls: calls?.secrets,
    }),
    configuration: createConfigurationBlock({ ...deps, stores: inventory.configuration, calls: calls?.configuration }),
    crypto: createCryptoBlock({ ...deps, providers: inventory.crypto, calls: calls?.crypto }),
    jobs: createJobsBlock({ ...deps, ...atBrokers, scheduler }),
    lock: createLockBlock({ ...deps, stores: inventory.lock, appId: options.appId }),
    conversation: createConversationBlock({
      ...deps,
      components: inventory.conversation,
      calls: calls?.conversation,
      policy: (name) => conversationPolicies.of(name),
    }),
  };
  const metadata = createMetadataBlock({
    id: options.appId,
    runtimeVersion: RUNTIME_VERSION,
    enabledFeatures: configuration.enabledFeatures,
    httpEndpoints: () => namesOf(resources.current.httpEndpoints),
    resiliencies: () => namesOf(resources.current.resiliencies),
    appConnection: appConnectionMetadata(options),
    components: () => inventory.components(),
    subscriptions: () => subscriptions.list().map(({ spec, type }) => ({ ...spec, type })),
    actors: () => actors.status(),
    schedulers: () => scheduler?.addresses ?? [],
  });
  return {
    blocks: {
      state,
      pubsub,
      invocation,
      actors,
      ...more,
      control: base.control(metadata),
      components: {
        conditions: () => inventory.conditions(),
        reload: () => resources.reload,
        reloadNow: async () => await resources.reloadNow?.(),
      },
      subscriptions: withOutbox(subscriptions, outbox),
    },
    subscriptions,
    inputBindings,
    jobTriggers: createJobTriggers({ ...deps, source: scheduler, observer: metrics?.jobs }),
    outbox,
  };
}

function namesOf(resources: readonly Resource[]): readonly string[] {
  return resources.map(({ name }) => name);
}

/** The app's subscriptions, and in their conditions those of the outbox too. */
function withOutbox(subscriptions: Subscriptions, outbox: Outbox): SidecarBlocks["subscriptions"] {
  return {
    streams: subscriptions.streams,
    conditions() {
      const conditions = subscriptions.conditions();
      return { ...conditions, subscriptions: [...conditions.subscriptions, ...outbox.conditions()] };
    },
  };
}

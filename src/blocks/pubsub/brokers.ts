import type { PubSub } from "../../components/spi/pubsub.ts";
import type { ComponentView, Loaded } from "../../inventory/types.ts";
import type { Policy } from "../../resiliency/types.ts";
import type { ComponentPolicies } from "../component-policy.ts";
import { compileScopes, type TopicScopes } from "./scopes.ts";

/** A loaded broker with everything about it that is worked out once. */
export interface Broker {
  readonly name: string;
  readonly loaded: Loaded<PubSub>;
  readonly scopes: TopicScopes;
  /** Put before every topic that reaches the component; empty unless the component is scoped to the namespace. */
  readonly topicPrefix: string;
  /** The component expires messages itself, so that the envelope needs no `expiration`. */
  readonly expiresMessages: boolean;
  /** The component takes a whole list of messages in one call. */
  readonly takesBulks: boolean;
  /** The broker hands out one message at a time and waits for its acknowledgement, so that nothing is to be collected. */
  readonly isSerial: boolean;
  /** Policies may be exchanged; the broker stays the same. */
  publishPolicy: Policy | undefined;
  deliveryPolicy: Policy | undefined;
}

/** The loaded brokers by name, kept current. */
export interface Brokers {
  readonly size: number;
  get(name: string): Broker | undefined;
  values(): Iterable<Broker>;
  /** Called after each add, replacement or removal, and at once for what is there; promises as `ComponentView.watch` has them. */
  watch(listener: (name: string, broker: Broker | undefined) => unknown): void;
}

export function watchBrokers(
  view: ComponentView<PubSub>,
  appId: string,
  namespace: string,
  policies: ComponentPolicies,
): Brokers {
  const brokers = new Map<string, Broker>();
  const listeners: ((name: string, broker: Broker | undefined) => unknown)[] = [];
  view.watch((name, loaded) => {
    const broker = loaded === undefined ? undefined : compile(loaded, appId, namespace, policies);
    if (broker === undefined) {
      brokers.delete(name);
    } else {
      brokers.set(name, broker);
    }
    return Promise.allSettled(listeners.map((listener) => listener(name, broker)));
  });
  policies.onChange?.(() => {
    for (const broker of brokers.values()) {
      broker.publishPolicy = policies.component(broker.name, "Pubsub", "outbound");
      broker.deliveryPolicy = policies.component(broker.name, "Pubsub", "inbound");
    }
  });
  return {
    get size() {
      return brokers.size;
    },
    get: (name) => brokers.get(name),
    values: () => brokers.values(),
    watch(listener) {
      listeners.push(listener);
      for (const broker of brokers.values()) {
        listener(broker.name, broker);
      }
    },
  };
}

function compile(loaded: Loaded<PubSub>, appId: string, namespace: string, policies: ComponentPolicies): Broker {
  const capabilities = loaded.component.capabilities ?? loaded.manifest.capabilities;
  return {
    name: loaded.name,
    loaded,
    scopes: compileScopes(loaded.metadata, appId),
    topicPrefix: loaded.namespaceScoped === true ? namespace : "",
    expiresMessages: capabilities.includes("MESSAGE_TTL"),
    takesBulks: capabilities.includes("BULK_PUBSUB") && loaded.component.bulkPublish !== undefined,
    isSerial: capabilities.includes("BULK_SUBSCRIBE_IMMEDIATE"),
    publishPolicy: policies.component(loaded.name, "Pubsub", "outbound"),
    deliveryPolicy: policies.component(loaded.name, "Pubsub", "inbound"),
  };
}

import type { StartFailures } from "./start-failures.ts";
import type { ListedSubscription, SubscriptionSource } from "./subscription-list.ts";

/** The internal topic of a state store's outbox. */
export interface OutboxSource {
  readonly kind: "outbox";
  readonly store: string;
}

/** How one subscription is doing. Times are in milliseconds since the Unix epoch. */
export interface SubscriptionCondition {
  readonly pubsubName: string;
  readonly topic: string;
  readonly source: SubscriptionSource | OutboxSource;
  /** `waiting`: it becomes active by itself. `refused`: it never will, until somebody changes what the reason names. */
  readonly state: "active" | "waiting" | "refused";
  /** Where it waits: for an app that is healthy, for a component of that name, or for the broker to let it in. */
  readonly waitingFor?: "app" | "component" | "broker";
  /** Present where something went wrong. */
  readonly reason?: string;
  /** Attempts at the broker that failed. */
  readonly attempts?: number;
  readonly nextAttemptMs?: number;
}

/** How all subscriptions of a sidecar are doing. */
export interface SubscriptionConditions {
  /** `unknown`: the app has not been asked for its own subscriptions, or did not answer. */
  readonly programmatic: { readonly state: "known" | "unknown"; readonly reason?: string };
  readonly subscriptions: readonly SubscriptionCondition[];
}

/** What tells how a subscription of the app is doing. */
export interface ConditionFacts {
  readonly appIsThere: boolean;
  readonly hasBroker: (pubsub: string) => boolean;
  readonly isRunning: (key: string) => boolean;
  readonly failures: StartFailures;
}

/** The condition of a subscription that is delivered over the app's channel. */
export function appCondition(key: string, listed: ListedSubscription, facts: ConditionFacts): SubscriptionCondition {
  const subscription = { ...namesOf(listed), source: listed.source };
  if (facts.isRunning(key)) {
    return { ...subscription, state: "active" };
  }
  if (!facts.hasBroker(listed.spec.pubsubName)) {
    return { ...subscription, state: "waiting", waitingFor: "component" };
  }
  if (!facts.appIsThere) {
    return { ...subscription, state: "waiting", waitingFor: "app" };
  }
  const failure = facts.failures.get(key);
  if (failure === undefined) {
    return { ...subscription, state: "waiting", waitingFor: "broker" };
  }
  const { reason, attempts, nextAttemptMs } = failure;
  return nextAttemptMs === undefined
    ? { ...subscription, state: "refused", reason }
    : { ...subscription, state: "waiting", waitingFor: "broker", reason, attempts, nextAttemptMs };
}

/** Streams exist only while they are live. */
export function streamCondition(listed: ListedSubscription): SubscriptionCondition {
  return { ...namesOf(listed), source: listed.source, state: "active" };
}

/** A resource that was left out. */
export function refusedCondition(listed: ListedSubscription, reason: string): SubscriptionCondition {
  return { ...namesOf(listed), source: listed.source, state: "refused", reason };
}

function namesOf({ spec }: ListedSubscription): { readonly pubsubName: string; readonly topic: string } {
  return { pubsubName: spec.pubsubName, topic: spec.topic };
}

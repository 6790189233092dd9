import type { SubscriptionCondition, SubscriptionConditions } from "../../blocks/pubsub/subscription-conditions.ts";
import { respondJson } from "./reply.ts";
import type { Route } from "./route.ts";

/** Where the door reads how the subscriptions are doing. */
export interface SubscriptionConditionsSource {
  conditions(): SubscriptionConditions;
}

/** How the subscriptions are doing: our own addition to Dapr's API. */
export function subscriptionsRoutes(subscriptions: SubscriptionConditionsSource): Route[] {
  return [
    {
      methods: ["GET"],
      path: "/outrigger/v1/subscriptions",
      group: { name: "subscriptions", version: "v1" },
      name: "GetSubscriptions",
      handler(exchange) {
        const { programmatic, subscriptions: all } = subscriptions.conditions();
        respondJson(exchange, 200, JSON.stringify({ programmatic, subscriptions: all.map(conditionBody) }));
      },
    },
  ];
}

function conditionBody(one: SubscriptionCondition): unknown {
  const { source, nextAttemptMs } = one;
  const resource = source.kind === "declarative" ? source : undefined;
  const place = resource?.place;
  return {
    pubsubname: one.pubsubName,
    topic: one.topic,
    source: source.kind,
    resource: resource?.name,
    store: source.kind === "outbox" ? source.store : undefined,
    place: place === undefined ? undefined : `${place.file}:${place.line}`,
    state: one.state,
    waitingFor: one.waitingFor,
    reason: one.reason,
    attempts: one.attempts,
    nextAttempt: nextAttemptMs === undefined ? undefined : new Date(nextAttemptMs).toISOString(),
  };
}

import type { SubscriptionRule, SubscriptionSpec } from "../app/types.ts";
import type { SubscriptionResource } from "../resources/subscription.ts";

/** Dapr's limits for bulk subscriptions that name none. */
const BULK_MESSAGES_MAX_DEFAULT = 100;
const BULK_AWAIT_MS_DEFAULT = 1000;

/** A subscription resource as the app side understands it; the default route stands last, with an empty match. */
export function subscriptionSpec(resource: SubscriptionResource): SubscriptionSpec {
  const rules: SubscriptionRule[] = [...resource.routes.rules];
  if (resource.routes.default !== "") {
    rules.push({ match: "", path: resource.routes.default });
  }
  const { bulkSubscribe } = resource;
  return {
    pubsubName: resource.pubsubName,
    topic: resource.topic,
    metadata: resource.metadata,
    rules,
    deadLetterTopic: resource.deadLetterTopic,
    bulk: {
      enabled: bulkSubscribe.enabled,
      maxMessagesCount:
        bulkSubscribe.maxMessagesCount === 0 ? BULK_MESSAGES_MAX_DEFAULT : bulkSubscribe.maxMessagesCount,
      maxAwaitDurationMs:
        bulkSubscribe.maxAwaitDurationMs === 0 ? BULK_AWAIT_MS_DEFAULT : bulkSubscribe.maxAwaitDurationMs,
    },
  };
}

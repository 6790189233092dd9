import type { SubscriptionSpec } from "../../app/types.ts";

/** Where a subscription came from, as `GET /v1.0/metadata` names it. */
export type SubscriptionType = "DECLARATIVE" | "PROGRAMMATIC";

export interface ListedSubscription {
  readonly spec: SubscriptionSpec;
  readonly type: SubscriptionType;
}

/**
 * One subscription per broker and topic: the first of several resources, and in its place what the app itself declares;
 * of several that the app declares the last. New topics of the app follow.
 */
export function mergeSubscriptions(
  declared: Iterable<SubscriptionSpec>,
  programmatic: Iterable<SubscriptionSpec>,
): readonly ListedSubscription[] {
  const merged = new Map<string, ListedSubscription>();
  for (const spec of declared) {
    const key = keyOf(spec);
    if (!merged.has(key)) {
      merged.set(key, { spec, type: "DECLARATIVE" });
    }
  }
  for (const spec of programmatic) {
    merged.set(keyOf(spec), { spec, type: "PROGRAMMATIC" });
  }
  return [...merged.values()];
}

function keyOf(spec: SubscriptionSpec): string {
  return `${spec.pubsubName}||${spec.topic}`;
}

import type { SubscriptionSpec } from "../../app/types.ts";

/** Where a subscription came from, as `GET /v1.0/metadata` names it. */
export type SubscriptionType = "DECLARATIVE" | "PROGRAMMATIC" | "STREAMING";

/** Where a subscription stands written. */
export interface SubscriptionPlace {
  readonly file: string;
  readonly line: number;
}

/** Where a subscription came from, as precisely as it is known. */
export type SubscriptionSource =
  | {
      readonly kind: "declarative";
      /** The resource's. */
      readonly name: string;
      /** Absent for resources that did not come from a file. */
      readonly place?: SubscriptionPlace | undefined;
    }
  | { readonly kind: "programmatic" }
  | { readonly kind: "streaming" };

export interface ListedSubscription {
  readonly spec: SubscriptionSpec;
  readonly type: SubscriptionType;
  readonly source: SubscriptionSource;
}

const PROGRAMMATIC: SubscriptionSource = { kind: "programmatic" };

/**
 * One subscription per broker and topic: the first of several resources, and in its place what the app itself declares;
 * of several that the app declares the last. New topics of the app follow. Streams are not merged: each stands for itself.
 */
export function mergeSubscriptions(
  declared: Iterable<ListedSubscription>,
  programmatic: Iterable<SubscriptionSpec>,
): ReadonlyMap<string, ListedSubscription> {
  const merged = new Map<string, ListedSubscription>();
  for (const listed of declared) {
    const key = keyOf(listed.spec);
    if (!merged.has(key)) {
      merged.set(key, listed);
    }
  }
  for (const spec of programmatic) {
    merged.set(keyOf(spec), { spec, type: "PROGRAMMATIC", source: PROGRAMMATIC });
  }
  return merged;
}

function keyOf(spec: SubscriptionSpec): string {
  return `${spec.pubsubName}||${spec.topic}`;
}

import { expect, it } from "vitest";
import type { SubscriptionResource } from "../resources/subscription.ts";
import { subscriptionSpec } from "./subscription-spec.ts";

function resource(changes: Partial<SubscriptionResource>): SubscriptionResource {
  return {
    pubsubName: "broker",
    topic: "topic",
    metadata: {},
    deadLetterTopic: "",
    routes: { rules: [], default: "" },
    bulkSubscribe: { enabled: false, maxMessagesCount: 0, maxAwaitDurationMs: 0 },
    ...changes,
  } as SubscriptionResource;
}

it("puts the default route last, with an empty match", () => {
  const rules = [{ match: "event.type == 'a'", path: "/a" }];
  expect(subscriptionSpec(resource({ routes: { rules, default: "/rest" } })).rules).toEqual([
    ...rules,
    { match: "", path: "/rest" },
  ]);
  expect(subscriptionSpec(resource({ routes: { rules, default: "" } })).rules).toEqual(rules);
});

it("fills in Dapr's limits for bulk subscriptions, and leaves given ones", () => {
  expect(subscriptionSpec(resource({})).bulk).toEqual({
    enabled: false,
    maxMessagesCount: 100,
    maxAwaitDurationMs: 1000,
  });
  const bulkSubscribe = { enabled: true, maxMessagesCount: 5, maxAwaitDurationMs: 7 };
  expect(subscriptionSpec(resource({ bulkSubscribe })).bulk).toEqual(bulkSubscribe);
});

import { expect, it } from "vitest";
import type { SubscriptionConditions } from "../../blocks/pubsub/subscription-conditions.ts";
import { testDoor } from "./door.fixture.ts";
import { subscriptionsRoutes } from "./subscriptions.ts";

async function answerTo(conditions: SubscriptionConditions): Promise<unknown> {
  const door = testDoor({ routes: subscriptionsRoutes({ conditions: () => conditions }) });
  const answer = await door.call("GET", "/outrigger/v1/subscriptions");
  expect(answer.status).toBe(200);
  return JSON.parse(answer.text);
}

it("lists the subscriptions, and what those that are not active wait for", async () => {
  const place = { file: "/app/orders.yaml", line: 3 };
  expect(
    await answerTo({
      programmatic: { state: "known" },
      subscriptions: [
        { pubsubName: "broker", topic: "orders", source: { kind: "programmatic" }, state: "active" },
        {
          pubsubName: "broker",
          topic: "returns",
          source: { kind: "declarative", name: "returns", place },
          state: "waiting",
          waitingFor: "broker",
          reason: "no such topic",
          attempts: 2,
          nextAttemptMs: Date.UTC(2026, 0, 2, 3, 4, 5),
        },
        {
          pubsubName: "gone",
          topic: "orders",
          source: { kind: "declarative", name: "pushed" },
          state: "waiting",
          waitingFor: "component",
        },
      ],
    }),
  ).toEqual({
    programmatic: { state: "known" },
    subscriptions: [
      { pubsubname: "broker", topic: "orders", source: "programmatic", state: "active" },
      {
        pubsubname: "broker",
        topic: "returns",
        source: "declarative",
        resource: "returns",
        place: "/app/orders.yaml:3",
        state: "waiting",
        waitingFor: "broker",
        reason: "no such topic",
        attempts: 2,
        nextAttempt: "2026-01-02T03:04:05.000Z",
      },
      {
        pubsubname: "gone",
        topic: "orders",
        source: "declarative",
        resource: "pushed",
        state: "waiting",
        waitingFor: "component",
      },
    ],
  });
});

it("tells that the app has not said what it wants, and why", async () => {
  expect(await answerTo({ programmatic: { state: "unknown", reason: "no answer" }, subscriptions: [] })).toEqual({
    programmatic: { state: "unknown", reason: "no answer" },
    subscriptions: [],
  });
});

it("is not on the public port, and heeds access rules", async () => {
  const routes = subscriptionsRoutes({
    conditions: () => ({ programmatic: { state: "known" }, subscriptions: [] }),
  });
  expect(routes.some((route) => route.onPublicPort === true)).toBe(false);
  const rule = { name: "subscriptions", version: "v1", protocol: "http" } as const;
  const denied = testDoor({ routes, accessRules: { allowed: [], denied: [rule] } });
  expect((await denied.call("GET", "/outrigger/v1/subscriptions")).status).not.toBe(200);
});

import { expect, it } from "vitest";
import type { SubscriptionCondition, SubscriptionConditions } from "../blocks/pubsub/subscription-conditions.ts";
import { recordingConsole } from "./recording-console.fixture.ts";
import { SubscriptionTeller } from "./subscription-teller.ts";

const ONE = { pubsubName: "broker", topic: "orders", source: { kind: "programmatic" } } as const;

function known(...subscriptions: SubscriptionCondition[]): SubscriptionConditions {
  return { programmatic: { state: "known" }, subscriptions };
}

function setUp() {
  const console = recordingConsole();
  return { said: console.said, teller: new SubscriptionTeller(console) };
}

it("says nothing of subscriptions that are live, just starting, or wait for the app only", () => {
  const { said, teller } = setUp();
  const calm = known(
    { ...ONE, state: "active" },
    { ...ONE, topic: "other", state: "waiting", waitingFor: "app" },
    { ...ONE, topic: "third", state: "waiting", waitingFor: "broker" },
  );
  teller.look("app", calm);
  expect(said).toEqual([]);
});

it("tells a reason once, another one anew, and the end of it", () => {
  const { said, teller } = setUp();
  const refused = (reason: string) => known({ ...ONE, state: "waiting", waitingFor: "broker", reason });
  teller.look("app", refused("no such topic"));
  teller.look("app", refused("no such topic"));
  teller.look("app", refused("not allowed"));
  teller.look("app", known({ ...ONE, state: "active" }));
  const subject = "the subscription to topic orders of broker";
  const after = "It is tried again; nothing is delivered from this topic until then.";
  expect(said).toEqual([
    `error app: ${subject} is not live: no such topic\n${after}`,
    `error app: ${subject} is not live: not allowed\n${after}`,
    `success app: ${subject} is live now`,
  ]);
});

it("names the place of a resource that is refused", () => {
  const { said, teller } = setUp();
  const source = { kind: "declarative", name: "sub", place: { file: "/app/sub.yaml", line: 4 } } as const;
  teller.look("app", known({ ...ONE, source, state: "refused", reason: "the rule does not parse" }));
  expect(said[0]).toContain("the subscription to topic orders of broker (/app/sub.yaml:4) is refused: the rule");
});

it("keeps quiet about one that waits for the app in between, until it is live", () => {
  const { said, teller } = setUp();
  teller.look("app", known({ ...ONE, state: "waiting", waitingFor: "component" }));
  teller.look("app", known({ ...ONE, state: "waiting", waitingFor: "app" }));
  expect(said).toHaveLength(1);
  teller.look("app", known({ ...ONE, state: "active" }));
  expect(said).toHaveLength(2);
});

it("forgets one that is gone, without a word", () => {
  const { said, teller } = setUp();
  teller.look("app", known({ ...ONE, state: "waiting", waitingFor: "component" }));
  teller.look("app", { programmatic: { state: "unknown" }, subscriptions: [] });
  teller.look("app", known());
  expect(said).toHaveLength(1);
});

it("tells of an app that does not say what it wants, and when it has", () => {
  const { said, teller } = setUp();
  const silent: SubscriptionConditions = {
    programmatic: { state: "unknown", reason: "no answer" },
    subscriptions: [],
  };
  teller.look("app", silent);
  teller.look("app", silent);
  teller.look("app", known());
  expect(said).toEqual([
    "error app: app has not said what it subscribes to: no answer\nIt is asked again.",
    "success app: app has said what it subscribes to",
  ]);
});

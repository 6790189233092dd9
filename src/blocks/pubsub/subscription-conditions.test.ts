import { expect, test } from "vitest";
import { createBlockFixture, FakeBroker, FakeChannel, settle, subscriptionTo } from "./pubsub.fixture.ts";
import { createSubscriptions } from "./subscriptions.ts";

function setUp(options: Parameters<typeof createBlockFixture>[0] = {}) {
  const fixture = createBlockFixture(options);
  const channel = new FakeChannel();
  const subscriptions = createSubscriptions({ ...fixture, programmaticEnabled: true });
  const conditions = () => subscriptions.conditions().subscriptions;
  return { ...fixture, channel, subscriptions, conditions };
}

const PLACE = { file: "subs.yaml", line: 7 };
const DECLARED = { kind: "declarative", name: "one", place: PLACE } as const;

test("a subscription waits for its component, then for the app, and is then active", async () => {
  const { subscriptions, brokers, channel, conditions } = setUp();
  await subscriptions.declare("one", subscriptionTo("a", { pubsubName: "later" }), PLACE);
  const of = { pubsubName: "later", topic: "a", source: DECLARED };
  expect(conditions()).toEqual([{ ...of, state: "waiting", waitingFor: "component" }]);
  brokers.add("later", new FakeBroker());
  await settle();
  expect(conditions()).toEqual([{ ...of, state: "waiting", waitingFor: "app" }]);
  await subscriptions.start(channel);
  expect(conditions()).toEqual([{ ...of, state: "active" }]);
  await subscriptions.stop();
  expect(conditions()).toEqual([{ ...of, state: "waiting", waitingFor: "app" }]);
});

test("a broker that refuses is named with its reason, the attempts so far and the time of the next", async () => {
  const { subscriptions, broker, channel, clock, conditions } = setUp();
  broker.subscribeError = new Error("no");
  await subscriptions.declare("one", subscriptionTo("a"));
  await subscriptions.start(channel);
  const of = { pubsubName: "pubsub", topic: "a", source: { kind: "declarative", name: "one", place: undefined } };
  const waiting = { ...of, state: "waiting", waitingFor: "broker", reason: "failed to subscribe to topic a: no" };
  expect(conditions()).toEqual([{ ...waiting, attempts: 1, nextAttemptMs: clock.now() + 500 }]);
  clock.advance(500);
  await settle();
  expect(conditions()).toEqual([{ ...waiting, attempts: 2, nextAttemptMs: clock.now() + 750 }]);
  broker.subscribeError = undefined;
  clock.advance(750);
  await settle();
  expect(conditions()).toEqual([{ ...of, state: "active" }]);
});

test("what scopes forbid, and a rule that does not parse, are refused for good", async () => {
  const { subscriptions, channel, clock, conditions } = setUp({ metadata: { protectedTopics: "secret" } });
  await subscriptions.declare("one", subscriptionTo("secret"), PLACE);
  const broken = subscriptionTo("b", { rules: [{ match: "event.type ==", path: "/b" }] });
  await expect(subscriptions.declare("two", broken, { file: "b.yaml", line: 2 })).rejects.toThrow();
  await subscriptions.start(channel);
  clock.advance(600_000);
  await settle();
  expect(conditions()).toMatchObject([
    { topic: "secret", state: "refused", reason: "subscription to topic 'secret' on pubsub 'pubsub' is not allowed" },
    {
      topic: "b",
      state: "refused",
      source: { kind: "declarative", name: "two", place: { file: "b.yaml", line: 2 } },
      reason: expect.stringContaining("Unexpected token") as unknown,
    },
  ]);
  await subscriptions.declare("two", subscriptionTo("b"));
  await subscriptions.undeclare("one");
  expect(conditions()).toMatchObject([{ topic: "b", state: "active" }]);
});

test("the app's own subscriptions are known once it has answered; until then the reason is told", async () => {
  const { subscriptions, channel, brokers } = setUp();
  const programmatic = () => subscriptions.conditions().programmatic;
  expect(programmatic()).toEqual({ state: "unknown" });
  channel.subscriptions = new Error("the app is busy");
  await subscriptions.start(channel);
  expect(programmatic()).toEqual({ state: "unknown", reason: "the app is busy" });
  channel.subscriptions = [subscriptionTo("mine")];
  brokers.add("another", new FakeBroker());
  await settle();
  expect(subscriptions.conditions()).toEqual({
    programmatic: { state: "known" },
    subscriptions: [{ pubsubName: "pubsub", topic: "mine", source: { kind: "programmatic" }, state: "active" }],
  });
});

import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const SUBSCRIPTIONS = `---
apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata: { name: plain }
spec: { pubsubname: broker, topic: plain, route: /plain }
---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: routed }
spec:
  pubsubname: broker
  topic: orders
  routes:
    rules:
      - { match: 'event.type == "order.urgent" && event.data.amount > 10', path: /urgent }
      - { match: 'event.type == "order.urgent"', path: /small }
    default: /other
---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: broken }
spec:
  pubsubname: broker
  topic: broken
  routes: { rules: [{ match: 'event.type ==', path: /broken }] }
---
apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata: { name: scoped }
spec: { pubsubname: broker, topic: plain-2, route: /scoped }
scopes: [another-app]
`;

it("subscriptions from resources, of both versions, reach the routes that their rules name", async () => {
  await using app = await startTestApp();
  await using one = await startTestSidecar({ appPort: app.port, resources: IN_MEMORY + SUBSCRIPTIONS });
  const publish = (topic: string, type: string, amount: number) =>
    one.fetch(`/v1.0/publish/broker/${topic}?metadata.cloudevent.type=${type}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ amount }),
    });
  await publish("plain", "any", 1);
  await publish("plain-2", "any", 1);
  await publish("orders", "order.urgent", 11);
  await publish("orders", "order.urgent", 1);
  await publish("orders", "order.usual", 100);
  await until("all are delivered", () => app.requests.filter(({ method }) => method === "POST").length === 4);

  const amountAt = (url: string): unknown =>
    (JSON.parse(app.at(url)[0]?.body ?? "{}") as { data: { amount: number } }).data.amount;
  expect({
    plain: amountAt("/plain"),
    urgent: amountAt("/urgent"),
    small: amountAt("/small"),
    other: amountAt("/other"),
  }).toEqual({ plain: 1, urgent: 11, small: 1, other: 100 });
  expect(app.at("/scoped")).toEqual([]);
  expect(app.at("/plain")[0]?.headers["content-type"]).toBe("application/cloudevents+json");
  expect(
    one.logger.lines.some(
      ({ level, message }) => level === "error" && message.includes("subscription broken is left out"),
    ),
  ).toBe(true);

  const { subscriptions } = (await (await one.fetch("/v1.0/metadata")).json()) as {
    subscriptions: { topic: string; type: string }[];
  };
  expect(subscriptions.map(({ topic, type }) => `${topic} ${type}`).toSorted()).toEqual([
    "orders DECLARATIVE",
    "plain DECLARATIVE",
  ]);
});

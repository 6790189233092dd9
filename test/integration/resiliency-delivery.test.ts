import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const RESILIENCY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: patience }
spec:
  policies:
    retries:
      matched: { policy: constant, duration: 1ms, maxRetries: 3, matching: { httpStatusCodes: "100-102,500-503" } }
  targets:
    components:
      broker: { inbound: { retry: matched } }
---
`;

it("events go to the app again as its policy says, and to the dead letter topic when no attempt is left", async () => {
  const answers: Readonly<Record<string, number>> = { "/good": 200, "/busy": 503, "/odd": 504, "/gone": 404 };
  const topics = Object.keys(answers).map((route) => ({
    pubsubname: "broker",
    topic: route.slice(1),
    route,
    deadLetterTopic: "dead",
  }));
  await using app = await startTestApp({
    subscriptions: [...topics, { pubsubname: "broker", topic: "dead", route: "/dead" }],
    answer: ({ url }) => ({ status: answers[url] ?? 200 }),
  });
  await using one = await startTestSidecar({ appPort: app.port, resources: RESILIENCY + IN_MEMORY });
  for (const { topic } of topics) {
    await one.fetch(`/v1.0/publish/broker/${topic}`, { method: "POST", body: topic });
  }
  await until(
    "three are at the dead letter topic, and the good one at the app",
    () => app.at("/dead").length === 3 && app.at("/good").length > 0,
  );
  const attempts = Object.keys(answers).map((route) => [route, app.at(route).length]);
  expect(attempts).toEqual([
    ["/good", 1],
    ["/busy", 4],
    ["/odd", 1],
    ["/gone", 1],
  ]);
});

it("an app that recovers gets the event, and nothing is given back", async () => {
  let failures = 2;
  await using app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders", deadLetterTopic: "dead" }],
    answer: () => ({ status: failures-- > 0 ? 500 : 200 }),
  });
  await using one = await startTestSidecar({ appPort: app.port, resources: RESILIENCY + IN_MEMORY });
  await one.fetch("/v1.0/publish/broker/orders", { method: "POST", body: "1" });
  await until("it was delivered", () =>
    one.logger.said("Recovered processing operation component[broker] input after 3 attempts"),
  );
  expect(app.at("/orders")).toHaveLength(3);
});

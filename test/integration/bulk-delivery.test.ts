import { expect, it } from "vitest";
import { component, IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

interface Bulk {
  readonly id: string;
  readonly topic: string;
  readonly pubsubname: string;
  readonly type: string;
  readonly entries: readonly {
    readonly entryId: string;
    readonly contentType: string;
    readonly event: { readonly data: { readonly n: number } };
  }[];
}

it("a bulk subscription takes events together, and each has its own end", async () => {
  const broker = component("broker", "pubsub.in-memory", { concurrencyMode: "parallel" });
  const bulkSubscribe = { enabled: true, maxMessagesCount: 3, maxAwaitDurationMs: 600_000 };
  await using app = await startTestApp({
    subscriptions: [
      {
        pubsubname: "broker",
        topic: "orders",
        route: "/orders",
        deadLetterTopic: "dead",
        metadata: { concurrencyMode: "parallel" },
        bulkSubscribe,
      },
      { pubsubname: "broker", topic: "dead", route: "/dead" },
    ],
    answer({ url, body }) {
      if (url !== "/orders") {
        return undefined;
      }
      const status = ["SUCCESS", "DROP", "RETRY"];
      const { entries } = JSON.parse(body) as Bulk;
      const statuses = entries.map(({ entryId, event }) => ({ entryId, status: status[event.data.n] }));
      return { body: JSON.stringify({ statuses }) };
    },
  });
  await using one = await startTestSidecar({ appPort: app.port, resources: broker });
  for (const n of [0, 1, 2]) {
    const headers = { "content-type": "application/json" };
    await one.fetch("/v1.0/publish/broker/orders", { method: "POST", headers, body: JSON.stringify({ n }) });
  }
  await until("two are dead lettered", () => app.at("/dead").length === 2);
  expect(app.at("/orders")).toHaveLength(1);
  const bulk = JSON.parse(app.at("/orders")[0]?.body ?? "") as Bulk;
  expect(bulk).toMatchObject({ topic: "orders", pubsubname: "broker", type: "com.dapr.event.sent.bulk" });
  expect(bulk.entries.map(({ contentType, event }) => [contentType, event.data.n])).toEqual([
    ["application/cloudevents+json", 0],
    ["application/cloudevents+json", 1],
    ["application/cloudevents+json", 2],
  ]);
  const dead = app.at("/dead").map(({ body }) => (JSON.parse(body) as { data: { n: number } }).data.n);
  expect(new Set(dead)).toEqual(new Set([1, 2]));
});

it("a declared bulk subscription does not wait longer than it says", async () => {
  const declared = `---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: orders }
spec:
  pubsubname: broker
  topic: orders
  routes: { default: /orders }
  bulkSubscribe: { enabled: true, maxMessagesCount: 1000, maxAwaitDurationMs: 20 }
`;
  await using app = await startTestApp({ answer: () => ({ body: '{"statuses":[]}' }) });
  await using one = await startTestSidecar({ appPort: app.port, resources: IN_MEMORY + declared });
  await one.fetch("/v1.0/publish/broker/orders", { method: "POST", body: "x" });
  await until("it is there", () => app.at("/orders").length === 1);
  expect((JSON.parse(app.at("/orders")[0]?.body ?? "") as Bulk).entries).toHaveLength(1);
});

import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const DECLARED = `---
apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata: { name: both }
spec: { pubsubname: broker, topic: both, route: /declared }
---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: first }
spec: { pubsubname: broker, topic: twice, routes: { default: /first } }
---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: second }
spec: { pubsubname: broker, topic: twice, routes: { default: /second } }
`;

const SUBSCRIPTIONS = [
  { pubsubname: "broker", topic: "v1", route: "/v1" },
  { pubsubname: "broker", topic: "default", routes: { default: "/default" } },
  { pubsubname: "broker", topic: "over", route: "/over-v1", routes: { default: "/over" } },
  { pubsubname: "broker", topic: "first", routes: { rules: [{ path: "/1" }, { path: "/2" }], default: "/3" } },
  {
    pubsubname: "broker",
    topic: "matched",
    routes: {
      rules: [
        { match: 'event.data.kind == "a"', path: "/a" },
        { match: "false", path: "/never" },
      ],
    },
  },
  { pubsubname: "broker", topic: "nowhere" },
  { pubsubname: "absent", topic: "v1", route: "/absent" },
  { pubsubname: "broker", topic: "both", route: "/programmatic" },
];

async function publish(one: TestSidecar, topic: string, body = "{}"): Promise<void> {
  const headers = { "content-type": "application/json" };
  expect((await one.fetch(`/v1.0/publish/broker/${topic}`, { method: "POST", headers, body })).status).toBe(204);
}

it("an app's own subscriptions of both versions, beside resources, reach the routes they name", async () => {
  await using app = await startTestApp({ subscriptions: SUBSCRIPTIONS });
  await using one = await startTestSidecar({ appPort: app.port, resources: IN_MEMORY + DECLARED });
  for (const topic of ["v1", "default", "over", "first", "nowhere", "both", "twice"]) {
    await publish(one, topic);
  }
  await publish(one, "matched", '{"kind":"a"}');
  await publish(one, "matched", '{"kind":"b"}');
  await publish(one, "v1");
  const wanted = ["/1", "/a", "/default", "/first", "/over", "/programmatic", "/v1", "/v1"];
  const posts = () => app.requests.filter(({ method }) => method === "POST").map(({ url }) => url);
  // Topics do not wait for each other.
  await until("the last of each is there", () => posts().length >= wanted.length);
  expect(posts().toSorted()).toEqual(wanted);
  expect(one.logger.said("topic nowhere has an empty routes. removing from subscriptions list")).toBe(true);

  const { subscriptions } = (await (await one.fetch("/v1.0/metadata")).json()) as {
    subscriptions: { pubsubname: string; topic: string; type: string; rules: unknown }[];
  };
  expect(subscriptions.map(({ pubsubname, topic, type }) => `${pubsubname} ${topic} ${type}`).toSorted()).toEqual([
    "absent v1 PROGRAMMATIC",
    "broker both PROGRAMMATIC",
    "broker default PROGRAMMATIC",
    "broker first PROGRAMMATIC",
    "broker matched PROGRAMMATIC",
    "broker over PROGRAMMATIC",
    "broker twice DECLARATIVE",
    "broker v1 PROGRAMMATIC",
  ]);
  expect(subscriptions.find(({ topic }) => topic === "matched")?.rules).toEqual([
    { match: 'event.data.kind == "a"', path: "/a" },
    { match: "false", path: "/never" },
  ]);
});

it("--disable-init-endpoints subscribe leaves the app unasked and its resources in force", async () => {
  await using app = await startTestApp({ subscriptions: SUBSCRIPTIONS });
  await using one = await startTestSidecar({
    appPort: app.port,
    resources: IN_MEMORY + DECLARED,
    disableInitEndpoints: ["subscribe"],
  });
  await publish(one, "v1");
  await publish(one, "both");
  await until("the declared one is there", () => app.at("/declared").length === 1);
  expect(app.at("/dapr/subscribe")).toEqual([]);
  expect(app.at("/v1")).toEqual([]);
});

import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const ANSWERS: Readonly<Record<string, { status: number; body?: string }>> = {
  "/drop": { status: 200, body: '{"status":"DROP"}' },
  "/retry": { status: 200, body: '{"status":"RETRY"}' },
  "/missing": { status: 404 },
  "/failing": { status: 500, body: "no" },
};

it("what an app drops, refuses or has no route for lands at the dead letter topic, as it was published", async () => {
  const topics = Object.keys(ANSWERS).map((route) => ({
    pubsubname: "broker",
    topic: route.slice(1),
    route,
    deadLetterTopic: "dead",
  }));
  await using app = await startTestApp({
    subscriptions: [...topics, { pubsubname: "broker", topic: "dead", route: "/dead" }],
    answer: ({ url }) => ANSWERS[url],
  });
  await using one = await startTestSidecar({ appPort: app.port, resources: IN_MEMORY });
  for (const { topic } of topics) {
    await one.fetch(`/v1.0/publish/broker/${topic}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ topic }),
    });
  }
  await until("all are at the dead letter topic", () => app.at("/dead").length === topics.length);
  const dead = app
    .at("/dead")
    .map(({ body }) => JSON.parse(body) as { data: { topic: string }; topic: string; id: string });
  expect(dead.map(({ data }) => data.topic).toSorted()).toEqual(["drop", "failing", "missing", "retry"]);
  for (const route of Object.keys(ANSWERS)) {
    const [original] = app.at(route).map(({ body }) => JSON.parse(body) as { id: string });
    expect(dead.map(({ id }) => id)).toContain(original?.id);
    expect(app.at(route)).toHaveLength(1);
  }
});

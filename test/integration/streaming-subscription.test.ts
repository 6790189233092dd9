import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { dataOf, TopicStream } from "../harness/topic-stream.ts";
import { until } from "../harness/until.ts";

async function publish(one: TestSidecar, topic: string, body: string, query = ""): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await one.fetch(`/v1.0/publish/broker/${topic}${query}`, { method: "POST", headers, body });
  expect(response.status).toBe(204);
}

async function topicsOf(one: TestSidecar): Promise<string[]> {
  const { subscriptions = [] } = (await (await one.fetch("/v1.0/metadata")).json()) as {
    subscriptions?: { topic: string; type: string }[];
  };
  return subscriptions.map(({ topic, type }) => `${topic} ${type}`).toSorted();
}

it("a sidecar without an app delivers to streams, each a subscription of its own", async () => {
  await using one = await startTestSidecar({ resources: IN_MEMORY });
  await using first = await TopicStream.to(one, "orders");
  await using second = await TopicStream.to(one, "orders");
  first.answerAll = "SUCCESS";
  second.answerAll = "SUCCESS";
  expect(await topicsOf(one)).toEqual(["orders STREAMING", "orders STREAMING"]);
  const numbers = Array.from({ length: 200 }, (_, n) => String(n));
  for (const number of numbers) {
    await publish(one, "orders", number);
  }
  await until("both have all", () => first.events.length === 200 && second.events.length === 200);
  expect(dataOf(first.events)).toEqual(numbers);
  expect(first.events[0]).toMatchObject({
    topic: "orders",
    pubsubName: "broker",
    path: "/",
    dataContentType: "application/json",
    type: "com.dapr.event.sent",
  });
  second.closeSend();
  expect(await second.ended()).toMatchObject({ code: 0 });
  await until("the list is shorter", async () => (await topicsOf(one)).length === 1);
});

it("streams stand beside the app's own subscriptions, and what they drop or refuse is dead lettered", async () => {
  await using app = await startTestApp({
    subscriptions: [
      { pubsubname: "broker", topic: "orders", route: "/orders" },
      { pubsubname: "broker", topic: "dead", route: "/dead" },
    ],
  });
  await using one = await startTestSidecar({ appPort: app.port, resources: IN_MEMORY });
  await using stream = await TopicStream.to(one, "orders", "dead");
  expect(await topicsOf(one)).toEqual(["dead PROGRAMMATIC", "orders PROGRAMMATIC", "orders STREAMING"]);
  for (const [index, status] of (["SUCCESS", "DROP", "RETRY"] as const).entries()) {
    stream.answerAll = status;
    await publish(one, "orders", JSON.stringify(status));
    await until(`${status} is answered`, () => stream.events.length === index + 1);
  }
  await until("two are dead lettered, and the app has all", () => {
    return app.at("/dead").length >= 2 && app.at("/orders").length >= 3;
  });
  expect(app.at("/orders")).toHaveLength(3);
  const dead = app.at("/dead").map(({ body }) => (JSON.parse(body) as { data: string }).data);
  expect(dead.toSorted()).toEqual(["DROP", "RETRY"]);
});

it("an event with bytes arrives as they are, one whose time is out not at all", async () => {
  await using one = await startTestSidecar({ resources: IN_MEMORY });
  await using stream = await TopicStream.to(one, "orders");
  stream.answerAll = "SUCCESS";
  const event = { specversion: "1.0", id: "x", source: "s", type: "t", expiration: "2020-01-01T00:00:00Z" };
  const post = (body: string | Uint8Array<ArrayBuffer>, type: string) =>
    one.fetch("/v1.0/publish/broker/orders", { method: "POST", headers: { "content-type": type }, body });
  await post(JSON.stringify(event), "application/cloudevents+json");
  await post(Uint8Array.of(0, 255, 1), "application/octet-stream");
  await post('{"n":12345678901234567890}', "application/json");
  await until("the others are there", () => stream.events.length === 2);
  expect([...(stream.events[0]?.data ?? [])]).toEqual([0, 255, 1]);
  expect(dataOf(stream.events)[1]).toBe('{"n":12345678901234567890}');
});

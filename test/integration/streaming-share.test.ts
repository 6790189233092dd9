import { join } from "node:path";
import { expect, it } from "vitest";
import { component, temporaryFolder } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { dataOf, TopicStream } from "../harness/topic-stream.ts";
import { until } from "../harness/until.ts";

it("streams on one topic of a durable broker share its messages, and what a lost one left goes to the others", async () => {
  await using folder = await temporaryFolder();
  const resources = component("broker", "pubsub.sqlite", { connectionString: join(folder.path, "broker.db") });
  await using one = await startTestSidecar({ resources });
  await using leaving = await TopicStream.to(one, "orders", "dead");
  const publish = (body: string) => one.fetch("/v1.0/publish/broker/orders", { method: "POST", body });
  await publish("1");
  await publish("2");
  await until("it holds both and answers neither", () => leaving.events.length === 2);
  await using staying = await TopicStream.to(one, "orders", "dead");
  staying.answerAll = "SUCCESS";
  await using dead = await TopicStream.to(one, "dead");
  leaving.cancel();
  await until("the other has both", () => staying.events.length === 2);
  expect(dataOf(staying.events).toSorted()).toEqual(["1", "2"]);
  await publish("3");
  await until("and what follows", () => staying.events.length === 3);
  expect(dead.events).toEqual([]);
});

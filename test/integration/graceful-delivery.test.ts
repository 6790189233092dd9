import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

it("stopping takes nothing new and waits for the delivery under way", async () => {
  const finish = Promise.withResolvers<undefined>();
  let finished = false;
  await using app = await startTestApp({
    subscriptions: [
      { pubsubname: "broker", topic: "topic", route: "/topic", deadLetterTopic: "dead" },
      { pubsubname: "broker", topic: "dead", route: "/dead" },
    ],
    answer: async ({ url }) => {
      if (url === "/topic") {
        await finish.promise;
        finished = true;
      }
      return undefined;
    },
  });
  await using one = await startTestSidecar({ appPort: app.port, resources: IN_MEMORY, gracefulShutdownMs: 60_000 });
  await one.fetch("/v1.0/publish/broker/topic", { method: "POST", body: "one" });
  await until("the app has the event", () => app.at("/topic").length === 1);
  let stopped = false;
  const stopping = one.sidecar.stop("host").then(() => (stopped = true));
  await until("the stop has begun", () => one.logger.said("Dapr is shutting down"));
  expect(stopped).toBe(false);
  finish.resolve(undefined);
  await stopping;
  expect(finished).toBe(true);
  expect(app.at("/topic")).toHaveLength(1);
  expect(app.at("/dead")).toEqual([]);
  expect(await one.sidecar.done).toEqual({ exitCode: 0 });
});

it("an app that was given an event can still use the APIs while the sidecar stops", async () => {
  const begin = Promise.withResolvers<undefined>();
  let answered: number | undefined;
  await using app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "topic", route: "/topic" }],
    answer: async ({ url }) => {
      if (url === "/topic") {
        await begin.promise;
        const init = {
          method: "POST",
          body: '[{"key":"a","value":1}]',
          headers: { "content-type": "application/json" },
        };
        answered = (await fetch(`${one.url}/v1.0/state/store`, init)).status;
      }
      return undefined;
    },
  });
  await using one = await startTestSidecar({ appPort: app.port, resources: IN_MEMORY, gracefulShutdownMs: 60_000 });
  await one.fetch("/v1.0/publish/broker/topic", { method: "POST", body: "one" });
  await until("the app has the event", () => app.at("/topic").length === 1);
  const stopping = one.sidecar.stop("signal");
  await until("the stop has begun", () => one.logger.said("Dapr is shutting down"));
  begin.resolve(undefined);
  await stopping;
  expect(answered).toBe(204);
  expect(await one.sidecar.done).toEqual({ exitCode: 0 });
});

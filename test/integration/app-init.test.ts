import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

const SUBSCRIPTIONS = [{ pubsubname: "broker", topic: "topic", route: "/topic" }];

it("an app is asked for its configuration and its subscriptions when it comes up", async () => {
  await using app = await startTestApp({ subscriptions: SUBSCRIPTIONS });
  await using _one = await startTestSidecar({ appPort: app.port, resources: IN_MEMORY });
  expect(app.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
    "GET /dapr/config",
    "GET /dapr/subscribe",
  ]);
});

it("the questions that --disable-init-endpoints names are left out", async () => {
  await using app = await startTestApp({ subscriptions: SUBSCRIPTIONS });
  await using one = await startTestSidecar({
    appPort: app.port,
    resources: IN_MEMORY,
    disableInitEndpoints: ["config", "subscribe"],
  });
  expect(app.requests).toEqual([]);
  expect(one.logger.said("Skipping programmatic dapr configuration loading")).toBe(true);
  expect(one.logger.said("Skipping programmatic subscription loading")).toBe(true);
  expect(await (await one.fetch("/v1.0/metadata")).json()).not.toHaveProperty("subscriptions");
});

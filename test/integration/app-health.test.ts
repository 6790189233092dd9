import { expect, it } from "vitest";
import { heldClock } from "../harness/held-clock.ts";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const APP_HEALTH = { enabled: true, path: "/ready", probeIntervalMs: 100, probeTimeoutMs: 100, threshold: 3 };

it("subscriptions follow the app's health, and an unhealthy app is not called", async () => {
  let healthy = false;
  await using app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "topic", route: "/topic" }],
    answer: ({ url }) => (url === "/ready" ? { status: healthy ? 204 : 500 } : undefined),
  });
  await using one = await startTestSidecar({
    appPort: app.port,
    resources: IN_MEMORY,
    appHealth: APP_HEALTH,
    // No probe takes too long, however long it takes.
    deps: { clock: heldClock(APP_HEALTH.probeTimeoutMs) },
  });
  const publish = (text: string) =>
    one.fetch("/v1.0/publish/broker/topic", { method: "POST", body: text, headers: { "content-type": "text/plain" } });
  const delivered = () => app.at("/topic").map(({ body }) => (JSON.parse(body) as { data: string }).data);

  await until("the app was probed", () => app.at("/ready").length > 2);
  expect(app.at("/dapr/subscribe")).toEqual([]);
  const refused = await one.fetch("/v1.0/invoke/test-app/method/call");
  expect(refused.status).toBe(500);
  expect(await refused.text()).toContain("app is not in a healthy state");

  healthy = true;
  await until("deliveries begin", async () => (await publish("first"), delivered().includes("first")));
  expect((await one.fetch("/v1.0/invoke/test-app/method/call")).status).toBe(200);

  healthy = false;
  await until("the app counts as unhealthy", () => one.logger.said("App entered un-healthy status"));
  await until("calls are refused", async () => (await one.fetch("/v1.0/invoke/test-app/method/call")).status === 500);
  await publish("while unhealthy");

  healthy = true;
  await until("deliveries begin again", async () => (await publish("last"), delivered().includes("last")));
  expect(delivered()).not.toContain("while unhealthy");
  expect(app.at("/dapr/subscribe")).toHaveLength(1);
});

it("the runtime is ready whatever the app's health, once the app's port answers", async () => {
  await using app = await startTestApp({ answer: ({ url }) => (url === "/ready" ? { status: 500 } : undefined) });
  await using one = await startTestSidecar({ appPort: app.port, appHealth: APP_HEALTH });
  expect((await one.fetch("/v1.0/healthz")).status).toBe(204);
  expect(await (await one.fetch("/v1.0/metadata")).json()).toMatchObject({
    appConnectionProperties: {
      port: app.port,
      health: {
        healthCheckPath: "/ready",
        healthProbeInterval: "100ms",
        healthProbeTimeout: "100ms",
        healthThreshold: 3,
      },
    },
  });
});

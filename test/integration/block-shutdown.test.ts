import { expect, it } from "vitest";
import { heldClock } from "../harness/held-clock.ts";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const BLOCK_MS = 251;
const PROBE_MS = 101;
const APP_HEALTH = {
  enabled: true,
  path: "/healthz",
  probeIntervalMs: PROBE_MS,
  probeTimeoutMs: PROBE_MS,
  threshold: 1,
};

const SUBSCRIPTIONS = [{ pubsubname: "broker", topic: "topic", route: "/topic" }];

it("after a signal the APIs stay open for the block period while nothing is taken from brokers", async () => {
  await using app = await startTestApp({ subscriptions: SUBSCRIPTIONS });
  const clock = heldClock(BLOCK_MS);
  await using one = await startTestSidecar({
    appPort: app.port,
    resources: IN_MEMORY,
    blockShutdownMs: BLOCK_MS,
    deps: { clock },
  });
  const stopped = one.sidecar.stop("signal");
  await until("the block period has begun", () =>
    one.logger.said("Blocking graceful shutdown for 251ms or until app reports unhealthy..."),
  );
  expect((await one.fetch("/v1.0/publish/broker/topic", { method: "POST", body: "late" })).status).toBe(204);
  expect((await one.fetch("/v1.0/state/store", { method: "POST", body: '[{"key":"a","value":1}]' })).status).toBe(204);
  clock.runOut(BLOCK_MS);
  await stopped;
  expect(one.logger.said("Block shutdown period expired, entering shutdown...")).toBe(true);
  expect(app.at("/topic")).toEqual([]);
  expect(await one.sidecar.done).toEqual({ exitCode: 0 });
});

it("the block period ends as soon as the app is unhealthy", async () => {
  let healthy = true;
  await using app = await startTestApp({
    answer: ({ url }) => (url === "/healthz" ? { status: healthy ? 200 : 503 } : undefined),
  });
  await using one = await startTestSidecar({
    appPort: app.port,
    appHealth: APP_HEALTH,
    blockShutdownMs: 600_000,
    // No probe takes too long, however long it takes.
    deps: { clock: heldClock(PROBE_MS) },
  });
  await until("the app is healthy", () => one.logger.said("App entered healthy status"));
  const stopped = one.sidecar.stop("signal");
  await until("the block period has begun", () =>
    one.logger.said("Blocking graceful shutdown for 10m0s or until app reports unhealthy..."),
  );
  healthy = false;
  await stopped;
  expect(one.logger.said("App reported unhealthy, entering shutdown...")).toBe(true);
});

it("there is no block period for an app that is unhealthy already", async () => {
  await using app = await startTestApp({
    answer: ({ url }) => (url === "/healthz" ? { status: 503 } : undefined),
  });
  await using one = await startTestSidecar({ appPort: app.port, appHealth: APP_HEALTH, blockShutdownMs: 600_000 });
  await until("the app was probed", () => app.at("/healthz").length > 1);
  await one.sidecar.stop("signal");
  expect(one.logger.said("App reported unhealthy, entering shutdown...")).toBe(true);
  expect(await one.sidecar.done).toEqual({ exitCode: 0 });
});

it("the shutdown API does not wait for the block period", async () => {
  await using one = await startTestSidecar({ blockShutdownMs: 600_000 });
  await one.fetch("/v1.0/shutdown", { method: "POST" });
  expect(await one.sidecar.done).toEqual({ exitCode: 0 });
});

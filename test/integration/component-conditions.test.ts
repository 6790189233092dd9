import { expect, it } from "vitest";
import { redisMissing, redisNote, startRedisServer } from "../harness/redis-server.ts";
import { component } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

interface Listed {
  readonly name: string;
  readonly condition: string;
  readonly reason?: string;
  readonly since: string;
}

async function conditionOf(one: TestSidecar, name: string): Promise<Listed> {
  const { components } = (await (await one.fetch("/outrigger/v1/components")).json()) as { components: Listed[] };
  return components.find((each) => each.name === name) as Listed;
}

function becomes(one: TestSidecar, name: string, condition: string): Promise<Listed> {
  return until(`${name} is ${condition}`, async () => {
    const listed = await conditionOf(one, name);
    return listed.condition === condition ? listed : undefined;
  });
}

/** The first attempt may be late on a busy machine, for the short timeouts of these stores. */
async function saves(one: TestSidecar, value: number): Promise<void> {
  await until(`${value} is saved`, async () => (await save(one, value)) === 204);
}

async function save(one: TestSidecar, value: number): Promise<number> {
  const body = JSON.stringify([{ key: "key", value }]);
  const headers = { "content-type": "application/json" };
  const response = await one.fetch("/v1.0/state/store", { method: "POST", body, headers });
  await response.arrayBuffer();
  return response.status;
}

it.skipIf(redisMissing !== undefined)(
  `a Redis that is down at the start is found in the background and used${redisNote}`,
  async () => {
    await using redis = await startRedisServer();
    await redis.kill();
    const settings = { redisHost: redis.address, dialTimeout: "1s", redisMaxRetries: "0" };
    const ignoring = (text: string): string => text.replace("spec:\n", "spec:\n  ignoreErrors: true\n");
    await using app = await startTestApp({
      subscriptions: [{ pubsubname: "broker", topic: "numbers", route: "/numbers" }],
    });
    await using one = await startTestSidecar({
      appPort: app.port,
      resources: [
        ignoring(component("store", "state.redis", settings)),
        ignoring(component("broker", "pubsub.redis", settings)),
      ].join("---\n"),
    });
    const failed = await conditionOf(one, "store");
    expect(failed).toMatchObject({ condition: "failed", type: "state.redis", version: "v1" });
    expect(failed.reason).toContain("connection refused");
    expect(await save(one, 1)).toBe(500);

    await redis.start();
    const ready = await becomes(one, "store", "ready");
    expect(ready).not.toHaveProperty("reason");
    expect(Date.parse(ready.since)).toBeGreaterThan(Date.parse(failed.since));
    expect(one.logger.said("Component loaded: store (state.redis/v1)")).toBe(true);
    await saves(one, 1);
    expect(await (await one.fetch("/v1.0/state/store/key")).text()).toBe("1");

    await becomes(one, "broker", "ready");
    await until("a message reaches the app", async () => {
      const headers = { "content-type": "application/json" };
      await one.fetch("/v1.0/publish/broker/numbers", { method: "POST", body: "1", headers });
      return app.at("/numbers").length > 0;
    });
  },
);

it.skipIf(redisMissing !== undefined)(
  `a Redis that is lost or falls silent degrades its components until it is back${redisNote}`,
  async () => {
    await using redis = await startRedisServer();
    const settings = { redisHost: redis.address, readTimeout: "500ms", dialTimeout: "500ms" };
    await using one = await startTestSidecar({ resources: component("store", "state.redis", settings) });
    await becomes(one, "store", "ready");

    await redis.kill();
    const { reason } = await becomes(one, "store", "degraded");
    expect(reason).toContain(`redis at ${redis.address}: `);
    await redis.start();
    await becomes(one, "store", "ready");
    await saves(one, 1);

    redis.pause();
    const saving = save(one, 2);
    await becomes(one, "store", "degraded");
    redis.resume();
    await becomes(one, "store", "ready");
    await saving;
    await saves(one, 3);
  },
);

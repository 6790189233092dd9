import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { redisPubSubManifest } from "../../src/components/redis/pubsub-manifest.ts";
import { redisDeps } from "../conformance/redis.ts";
import { redisMissing, redisNote, startRedisServer } from "../harness/redis-server.ts";
import { component } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

/** How many publish and save side by side. */
const PUBLISHERS = 8;

/** From the server's return until messages flow again, on a busy machine. */
const PATIENCE_MS = 30_000;
const TEST_MS = 240_000;

/** Publishes and saves one number after the other; keeps those that were acknowledged. */
function startLoad(one: TestSidecar) {
  const published = new Set<string>();
  const saved = new Set<string>();
  let refused = 0;
  let next = 0;
  let ended = false;
  const post = async (path: string, body: string): Promise<boolean> => {
    const response = await one.fetch(path, { method: "POST", body, headers: { "content-type": "application/json" } });
    await response.arrayBuffer();
    return response.status === 204;
  };
  const work = async (): Promise<void> => {
    while (!ended) {
      next += 1;
      const id = `n${next}`;
      const [wasPublished, wasSaved] = await Promise.all([
        post("/v1.0/publish/broker/numbers", JSON.stringify(id)),
        post("/v1.0/state/store", JSON.stringify([{ key: id, value: id }])),
      ]);
      if (wasPublished) published.add(id);
      if (wasSaved) saved.add(id);
      if (!wasPublished || !wasSaved) {
        refused += 1;
        await pause(20);
      }
    }
  };
  const workers = Promise.all(Array.from({ length: PUBLISHERS }, work));
  return {
    published,
    saved,
    refused: () => refused,
    async end() {
      ended = true;
      await workers;
    },
  };
}

it.skipIf(redisMissing !== undefined)(
  `a Redis that is killed, stopped and started again under load loses nothing that was acknowledged${redisNote}`,
  async () => {
    await using redis = await startRedisServer({ durable: true });
    const delivered = new Set<string>();
    await using app = await startTestApp({
      subscriptions: [{ pubsubname: "broker", topic: "numbers", route: "/numbers" }],
      answer: ({ url, body }) => {
        if (url === "/numbers") delivered.add((JSON.parse(body) as { data: string }).data);
        return undefined;
      },
    });
    const timeouts = { redisHost: redis.address, readTimeout: "1s", dialTimeout: "1s" };
    await using one = await startTestSidecar({
      appPort: app.port,
      resources: [
        component("store", "state.redis", timeouts),
        component("broker", "pubsub.redis", { ...timeouts, processingTimeout: "2s", redeliverInterval: "500ms" }),
      ].join("---\n"),
    });
    const load = startLoad(one);
    /** From the server's return until new messages are taken and delivered again. */
    const recovered = async (): Promise<void> => {
      const [published, before] = [load.published.size, delivered.size];
      await until(
        "messages are taken and delivered again",
        () => load.published.size > published && delivered.size > before,
        PATIENCE_MS,
      );
    };
    await until("the load runs", () => delivered.size > 200, PATIENCE_MS);

    await redis.kill();
    await pause(1_000);
    await redis.start();
    await recovered();

    redis.pause();
    await pause(3_000);
    redis.resume();
    await recovered();

    await redis.kill();
    await redis.start();
    await recovered();

    await load.end();
    const missing = (): string[] => [...load.published].filter((id) => !delivered.has(id));
    await until("all that was acknowledged is delivered", () => missing().length === 0, PATIENCE_MS);
    for (const id of load.saved) {
      const response = await one.fetch(`/v1.0/state/store/${id}`);
      expect([id, await response.text()]).toEqual([id, JSON.stringify(id)]);
    }
    expect(load.published.size).toBeGreaterThan(200);
  },
  TEST_MS,
);

it.skipIf(redisMissing !== undefined)(
  `what waits for a Redis that does not answer is bounded${redisNote}`,
  async () => {
    await using redis = await startRedisServer();
    const broker = (await redisPubSubManifest.load())(redisDeps);
    await broker.init({ redisHost: redis.address, readTimeout: "1s" }, new AbortController().signal);
    try {
      redis.pause();
      const burst = await Promise.allSettled(
        Array.from({ length: 10_100 }, () =>
          broker.publish({ topic: "t", data: new Uint8Array(100), contentType: undefined, metadata: {} }),
        ),
      );
      const refused = burst.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
      expect(refused.filter((text) => text.includes("the limits are"))).toHaveLength(100);
      redis.resume();
      await until("the broker takes messages again", async () => {
        await broker.publish({ topic: "t", data: new Uint8Array(1), contentType: undefined, metadata: {} });
        return true;
      });
    } finally {
      redis.resume();
      await broker.close();
    }
  },
);

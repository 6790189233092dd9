import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { redisMissing, redisNote, startRedisServer } from "../harness/redis-server.ts";
import { component } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";
import { installed, startSidecar } from "./program.ts";

it.skipIf(redisMissing !== undefined)(
  `the executable carries Redis: it keeps state and delivers messages in an empty environment${redisNote}`,
  async () => {
    await using redis = await startRedisServer();
    using home = installed();
    const resources = join(home.folder, "resources");
    mkdirSync(resources);
    const metadata = { redisHost: redis.address };
    const components = [component("store", "state.redis", metadata), component("broker", "pubsub.redis", metadata)];
    writeFileSync(join(resources, "redis.yaml"), components.join("---\n"));
    await using app = await startTestApp({
      subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders" }],
    });
    const args = ["sidecar", "--app-id=alone", `--resources-path=${resources}`, `--app-port=${app.port}`];
    await using sidecar = await startSidecar(home.program, args);
    const post = async (path: string, body: unknown): Promise<number> => {
      const headers = { "content-type": "application/json" };
      return (await sidecar.fetch(path, { method: "POST", headers, body: JSON.stringify(body) })).status;
    };
    expect(await post("/v1.0/state/store", [{ key: "greeting", value: "héllo" }])).toBe(204);
    const got = await sidecar.fetch("/v1.0/state/store/greeting");
    expect(await got.json()).toBe("héllo");
    expect(await redis.command("HGET", "alone||greeting", "version")).toBe("$1\r\n1\r\n");
    expect(await post("/v1.0/publish/broker/orders", { id: 7 })).toBe(204);
    const [delivered] = await until("the message is delivered", () => {
      const requests = app.at("/orders");
      return requests.length > 0 && requests;
    });
    expect((JSON.parse(delivered?.body ?? "") as { data: unknown }).data).toEqual({ id: 7 });
    expect(await sidecar.stop("SIGTERM")).toBe(0);
    expect(sidecar.stderr()).toBe("");
  },
);

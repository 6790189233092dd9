import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redisMissing, redisNote, type RedisServer, startRedisServer } from "../harness/redis-server.ts";
import { component } from "../harness/resources.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";
import { failureOf, PROTOCOLS, type Protocol } from "./dapr-js.ts";
import { type ClientSystem, type PairSystem, startClientSystem, startPairSystem } from "./dapr-js-system.ts";

let redis: RedisServer | undefined;
let web: TestApp;
beforeAll(async () => {
  redis = redisMissing === undefined ? await startRedisServer() : undefined;
  web = await startTestApp({
    answer: ({ method, url, body }) => ({
      status: url === "/refused" ? 418 : 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ method, url, body }),
    }),
  });
});
afterAll(async () => {
  await web[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

describe.each(PROTOCOLS)("output bindings through the official SDK over %s", (protocol) => {
  let system: ClientSystem;
  beforeAll(async () => {
    system = await startClientSystem({
      protocol,
      resources: (folder) =>
        [
          component("files", "bindings.localstorage", { rootPath: join(folder, "files") }),
          component("web", "bindings.http", { url: `http://127.0.0.1:${web.port}` }),
          ...(redis === undefined ? [] : [component("redis", "bindings.redis", { redisHost: redis.address })]),
        ].join("---\n"),
    });
  });
  afterAll(() => system.stop());

  /** What a binding answered: HTTP gives the answer's body, gRPC the bytes. */
  async function send(name: string, operation: string, data?: unknown, metadata?: object): Promise<unknown> {
    const answer = (await system.client.binding.send(name, operation, data, metadata)) as { data: Uint8Array };
    const { data: bytes } = answer;
    return protocol === "http" ? answer : json(Buffer.from(bytes).toString());
  }

  it("writes, reads, lists and removes files", async () => {
    const metadata = { fileName: "order-1.json" };
    expect(await send("files", "create", { id: 1 }, metadata)).toEqual({ fileName: expect.any(String) as string });
    expect(await readFile(join(system.folder, "files", "order-1.json"), "utf8")).toBe(`{"id":1}`);
    expect(await send("files", "get", undefined, metadata)).toEqual({ id: 1 });
    expect(await send("files", "list", undefined, { fileName: "." })).toEqual([
      expect.stringMatching(/order-1\.json$/) as string,
    ]);
    await send("files", "delete", undefined, metadata);
    expect(await failureOf(send("files", "get", undefined, metadata))).toMatch(/file not found/);
  });

  it("calls a web server", async () => {
    expect(await send("web", "post", { id: 2 }, { path: "/orders" })).toEqual({
      method: "POST",
      url: "/orders",
      body: `{"id":2}`,
    });
    expect(await send("web", "get", undefined, { path: "/orders?id=2" })).toMatchObject({
      method: "GET",
      url: "/orders?id=2",
    });
    expect(await failureOf(send("web", "get", undefined, { path: "/refused" }))).toMatch(/received status code 418/);
  });

  it.skipIf(redis === undefined && redisMissing !== undefined)(`writes and reads Redis${redisNote}`, async () => {
    await send("redis", "create", { id: 3 }, { key: `order-${protocol}` });
    expect(await redis?.command("GET", `order-${protocol}`)).toMatch(/{"id":3}/);
    expect(await send("redis", "get", undefined, { key: `order-${protocol}` })).toEqual({ id: 3 });
    await send("redis", "delete", undefined, { key: `order-${protocol}` });
  });

  it("tells of a binding there is none of, and of what a binding cannot do", async () => {
    expect(await failureOf(send("nowhere", "create", {}))).toMatch(/couldn't find output binding nowhere/);
    expect(await failureOf(send("files", "dance", {}))).toMatch(/binding files does not support operation dance/);
  });
});

describe.each(PROTOCOLS)("an input binding to an app of the official SDK over %s", (protocol: Protocol) => {
  let system: PairSystem;
  let ticks = 0;
  let failures = 0;
  beforeAll(async () => {
    system = await startPairSystem({
      protocol,
      resources: () =>
        [
          component("tick", "bindings.cron", { schedule: "@every 1s" }),
          component("broken", "bindings.cron", { schedule: "@every 1s" }),
        ].join("---\n"),
      async prepare({ stock }) {
        await stock.binding.receive("tick", async () => void (ticks += 1));
        await stock.binding.receive("broken", async () => {
          failures += 1;
          throw new Error("not today");
        });
      },
    });
  });
  afterAll(() => system.stop());

  it("comes on schedule, whether the app takes it or not", async () => {
    await until("two ticks", () => ticks >= 2);
    await until("two failures", () => failures >= 2);
  });
});

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collectBody } from "../app/body.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import type { HttpExchange, HttpResponse } from "../net/http/types.ts";
import { createRuntime, createSharedScope } from "./index.ts";

const RESOURCES = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: store }
spec: { type: state.in-memory, version: v1, metadata: [] }
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: broker }
spec: { type: pubsub.in-memory, version: v1, metadata: [] }
`;
const NO_BODY = new Uint8Array(0);

let resourcesPath: string;
beforeAll(async () => {
  resourcesPath = await mkdtemp(join(tmpdir(), "outrigger-embed-"));
  await writeFile(join(resourcesPath, "resources.yaml"), RESOURCES);
});
afterAll(() => rm(resourcesPath, { recursive: true }));

async function textOf(response: HttpResponse): Promise<string> {
  return Buffer.from(await collectBody(response.body, 1024 * 1024)).toString();
}

it("state is a method call away, and no port is open", async () => {
  const runtime = await createRuntime({ appId: "shop", resourcesPaths: [resourcesPath] });
  await runtime.state.save({
    store: "store",
    items: [
      {
        key: "order-1",
        value: Buffer.from('{"total":12}'),
        valueIsJson: true,
        etag: undefined,
        metadata: {},
        concurrency: "",
        consistency: "",
      },
    ],
  });
  const item = await runtime.state.get({ store: "store", key: "order-1", consistency: "", metadata: {} });
  expect(Buffer.from(item?.data ?? []).toString()).toBe('{"total":12}');
  expect(Object.values(runtime.sidecar.ports)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  await runtime.close();
  expect(await runtime.sidecar.done).toEqual({ exitCode: 0 });
});

it("the HTTP API answers without a socket", async () => {
  const runtime = await createRuntime({ appId: "shop", resourcesPaths: [resourcesPath] });
  const saved = await runtime.request({
    method: "POST",
    target: "/v1.0/state/store",
    headers: [],
    body: Buffer.from('[{"key":"a","value":1}]'),
  });
  expect(saved.status).toBe(204);
  const got = await runtime.request({ method: "GET", target: "/v1.0/state/store/a", headers: [], body: NO_BODY });
  expect([got.status, await textOf(got)]).toEqual([200, "1"]);
  await runtime.close();
});

describe("an app that is a function", () => {
  /** Subscribes to `orders`, keeps what it is sent, and answers calls with their path. */
  function shopApp(): { app: (exchange: HttpExchange) => void; orders: unknown[]; arrived: Promise<void> } {
    const orders: unknown[] = [];
    const first = Promise.withResolvers<void>();
    const app = (exchange: HttpExchange): void => {
      if (exchange.target === "/dapr/subscribe") {
        exchange.respond(
          200,
          ["content-type", "application/json"],
          '[{"pubsubname":"broker","topic":"orders","route":"/orders"}]',
        );
      } else if (exchange.target === "/orders") {
        void exchange.readBody(0).then((body) => {
          orders.push((JSON.parse(Buffer.from(body).toString()) as { data: unknown }).data);
          exchange.respond(200, []);
          first.resolve();
        });
      } else {
        exchange.respond(200, ["content-type", "text/plain"], `called ${exchange.target}`);
      }
    };
    return { app, orders, arrived: first.promise };
  }

  it("gets what another runtime of the same scope publishes", async () => {
    const shared = createSharedScope();
    const { app, orders, arrived } = shopApp();
    const shop = await createRuntime({ appId: "shop", resourcesPaths: [resourcesPath], shared, app });
    const web = await createRuntime({ appId: "web", resourcesPaths: [resourcesPath], shared });
    await web.pubsub.publish({
      pubsub: "broker",
      topic: "orders",
      data: Buffer.from('{"id":1}'),
      contentType: "application/json",
      metadata: {},
      trace: undefined,
    });
    await arrived;
    expect(orders).toEqual([{ id: 1 }]);
    await Promise.all([shop.close(), web.close()]);
  });

  it("is called by its own runtime", async () => {
    const { app } = shopApp();
    const shop = await createRuntime({ appId: "shop", app });
    const answer = await shop.request({
      method: "GET",
      target: "/v1.0/invoke/shop/method/stock/1?x=2",
      headers: [],
      body: NO_BODY,
    });
    expect(await textOf(answer)).toBe("called /stock/1?x=2");
    await shop.close();
  });
});

it("time is the caller's", async () => {
  const clock = new VirtualClock();
  const runtime = await createRuntime({ appId: "shop", resourcesPaths: [resourcesPath], clock });
  const body = Buffer.from('[{"key":"a","value":1,"metadata":{"ttlInSeconds":"60"}}]');
  await runtime.request({ method: "POST", target: "/v1.0/state/store", headers: [], body });
  const status = async (): Promise<number> =>
    (await runtime.request({ method: "GET", target: "/v1.0/state/store/a", headers: [], body: NO_BODY })).status;
  clock.advance(59_000);
  expect(await status()).toBe(200);
  clock.advance(2_000);
  expect(await status()).toBe(204);
  await runtime.close();
  expect(clock.pendingTimers).toBe(0);
});

it("what keeps a runtime from starting is thrown", async () => {
  await expect(createRuntime({ appId: "shop", resourcesPaths: [join(resourcesPath, "nowhere")] })).rejects.toThrow(
    /nowhere/,
  );
});

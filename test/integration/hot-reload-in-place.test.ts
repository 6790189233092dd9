import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { eventually, startWatchedSidecar, type WatchedSidecar } from "../harness/watched-sidecar.ts";

const json = { "content-type": "application/json" };

const publish = async (one: WatchedSidecar, topic: string, data: number): Promise<number> => {
  const response = await one.fetch(`/v1.0/publish/broker/${topic}`, {
    method: "POST",
    body: JSON.stringify(data),
    headers: json,
  });
  await response.arrayBuffer();
  return response.status;
};

const subscription = (name: string, topic: string, route: string): string => `apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: ${name} }
spec: { pubsubname: broker, topic: ${topic}, routes: { default: ${route} } }
`;

const resiliency = (name: string, retries: number): string => `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: ${name} }
spec:
  policies: { retries: { some: { policy: constant, duration: 1ms, maxRetries: ${retries} } } }
  targets: { apps: { other: { retry: some } }, components: { broker: { inbound: { retry: some } } } }
`;

const endpoint = (name: string, port: number): string => `apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: ${name} }
spec: { baseUrl: "http://127.0.0.1:${port}" }
`;

it("subscriptions come, change and go, and a delivery under way is finished", async () => {
  const held = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  await using app = await startTestApp({
    async answer({ url }) {
      if (url === "/held") {
        entered.resolve();
        await held.promise;
      }
      return undefined;
    },
  });
  await using one = await startWatchedSidecar({ "a.yaml": IN_MEMORY }, { appPort: app.port });
  await one.folder.write("s.yaml", subscription("numbers", "numbers", "/held"));
  await one.reported("the subscription", ({ reload }) => reload?.changes === 1);
  await publish(one, "numbers", 1);
  await entered.promise;

  await one.folder.write("s.yaml", subscription("letters", "letters", "/letters"));
  await eventually("the other subscription", async () => {
    await publish(one, "letters", 2);
    return app.at("/letters").length > 0;
  });
  const { subscriptions } = (await one.metadata()) as { subscriptions: readonly { topic: string }[] };
  expect(subscriptions.map(({ topic }) => topic)).toEqual(["letters"]);
  await publish(one, "numbers", 3);
  held.resolve();
  await eventually("the end of the delivery", () => app.at("/held").length === 1);

  await one.folder.write("s.yaml", subscription("letters", "letters", "/other"));
  await eventually("the other route", async () => {
    await publish(one, "letters", 4);
    return app.at("/other").length > 0;
  });
  expect(app.at("/held")).toHaveLength(1);
});

it("a broker that is replaced loses no event and hands none out twice", async () => {
  await using app = await startTestApp({ subscriptions: [{ pubsubname: "broker", topic: "numbers", route: "/n" }] });
  const broker = (marker: number): string => `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: broker }
spec:
  type: pubsub.sqlite
  version: v1
  metadata: [{ name: connectionString, value: "broker.db" }, { name: marker, value: "${marker}" }]
`;
  await using one = await startWatchedSidecar({}, { appPort: app.port });
  await one.folder.write("a.yaml", broker(0).replace("broker.db", `${one.folder.path}/broker.db`));
  await one.reported("the broker", ({ reload }) => reload?.changes === 1);
  const sent: string[] = [];
  for (let number = 0; number < 60; number += 1) {
    expect(await publish(one, "numbers", number)).toBe(204);
    sent.push(String(number));
    if (number % 20 === 10) {
      await one.folder.write("a.yaml", broker(number).replace("broker.db", `${one.folder.path}/broker.db`));
      await one.sidecar.reload();
    }
  }
  const received = (): string[] => app.at("/n").map(({ body }) => String((JSON.parse(body) as { data: unknown }).data));
  await eventually("all events", () => new Set(received()).size === sent.length);
  expect(received().toSorted()).toEqual(sent.toSorted());
});

it("policies and endpoints change without a restart", async () => {
  let calls = 0;
  const server = createServer((_, response) => {
    calls += 1;
    response.statusCode = 503;
    response.end("busy");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await using one = await startWatchedSidecar({ "a.yaml": IN_MEMORY });
  await one.fetch("/v1.0/metadata/mark", { method: "PUT", body: "here" });
  const invoke = async (): Promise<number> => {
    calls = 0;
    const response = await one.fetch("/v1.0/invoke/other/method/x");
    await response.arrayBuffer();
    return response.status;
  };
  expect(await invoke()).toBe(500);

  await one.folder.write("e.yaml", endpoint("other", port));
  await one.reported("the endpoint", ({ reload }) => reload?.changes === 1);
  expect([await invoke(), calls]).toEqual([503, 1]);
  await one.folder.write("r.yaml", resiliency("patient", 2));
  await one.reported("the policy", ({ reload }) => reload?.changes === 2);
  expect([await invoke(), calls]).toEqual([503, 3]);
  await one.folder.write("r.yaml", resiliency("hasty", 1));
  await one.reported("the other policy", ({ reload }) => reload?.changes === 4);
  expect([await invoke(), calls]).toEqual([503, 2]);
  expect(await one.metadata()).toMatchObject({
    httpEndpoints: [{ name: "other" }],
    resiliencies: [{ name: "hasty" }],
    extended: { mark: "here" },
  });
  await one.remove("e.yaml");
  await one.remove("r.yaml");
  await one.reported("neither", ({ reload }) => reload?.changes === 6);
  expect(await invoke()).toBe(500);
  const metadata = await one.metadata();
  expect(metadata["httpEndpoints"]).toBeUndefined();
  expect(metadata["resiliencies"]).toBeUndefined();
  server.closeAllConnections();
  server.close();
});

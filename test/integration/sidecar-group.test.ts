import { expect, it } from "vitest";
import { startSidecarGroup } from "../../src/dev/sidecar-group.ts";
import { IN_MEMORY, temporaryFolder } from "../harness/resources.ts";
import { freePort, startTestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

it("sidecars of a group share the broker, find each other, and keep their state apart", async () => {
  await using folder = await temporaryFolder();
  await folder.write("resources.yaml", IN_MEMORY);
  const port = await freePort();
  await using web = await startTestApp();
  const apps = [
    { appId: "web", appPort: web.port, appProtocol: "http" },
    { appId: "stock", appPort: port, appProtocol: "http" },
  ] as const;
  const group = await startSidecarGroup({ apps, resourcesPaths: [folder.path], logLevel: "fatal" });
  try {
    const url = `http://127.0.0.1:${group.sidecar("web").httpPort}/v1.0`;
    expect((await fetch(`${url}/healthz/outbound`)).status).toBe(204);
    await using stock = await startTestApp({
      port,
      subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders" }],
    });
    await group.ready();

    await fetch(`${url}/publish/broker/orders`, { method: "POST", body: "one" });
    await until("the event is delivered", () => stock.at("/orders").length === 1);
    expect((await fetch(`${url}/invoke/stock/method/level`)).status).toBe(200);
    expect(stock.at("/level")).toHaveLength(1);
    await fetch(`${url}/state/store`, { method: "POST", body: '[{"key":"a","value":1}]' });
    expect((await fetch(`http://127.0.0.1:${group.sidecar("stock").httpPort}/v1.0/state/store/a`)).status).toBe(204);
    expect(() => group.sidecar("nobody")).toThrow("no sidecar for app nobody in this group: there are web, stock");
  } finally {
    await group.stop();
  }
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});

it("a group that cannot start as a whole leaves nothing running", async () => {
  await using taken = await startTestApp();
  const httpPort = await freePort();
  const apps = [
    { appId: "first", appPort: 1, appProtocol: "http", httpPort },
    { appId: "second", appPort: 1, appProtocol: "http", httpPort: taken.port },
  ] as const;
  await expect(startSidecarGroup({ apps, resourcesPaths: [], logLevel: "fatal" })).rejects.toThrow(
    /address already in use/,
  );
  await expect(fetch(`http://127.0.0.1:${httpPort}/v1.0/healthz`)).rejects.toThrow();
});

import { expect, it } from "vitest";
import { outputBinding } from "../harness/pluggable/binding-services.ts";
import { pubSubService } from "../harness/pluggable/pubsub-service.ts";
import { inMemoryBroker, inMemoryStore, socketsFolder } from "../harness/pluggable/sidecar.ts";
import { stateServices } from "../harness/pluggable/state-services.ts";
import { component } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import type { TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

interface Listed {
  readonly name: string;
  readonly condition: string;
  readonly reason?: string;
}

function becomes(one: TestSidecar, name: string, condition: string): Promise<Listed> {
  return until(`${name} is ${condition}`, async () => {
    const { components } = (await (await one.fetch("/outrigger/v1/components")).json()) as { components: Listed[] };
    return components.find((each) => each.name === name && each.condition === condition);
  });
}

const post = (body: unknown): RequestInit => ({
  method: "POST",
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
});

it("a store that dies is degraded and fails its callers at once; back again it is initialised before it is used", async () => {
  await using folder = await socketsFolder();
  const store = await inMemoryStore();
  const seen: string[] = [];
  const services = stateServices(store, { features: ["ETAG"], onInit: ({ place }) => seen.push(`init ${place}`) });
  const first = await folder.serve("shelf.sock", services);
  const one = await folder.sidecar({ resources: component("store", "state.shelf", { place: "cellar" }) });
  const save = async (value: number) => (await one.fetch("/v1.0/state/store", post([{ key: "k", value }]))).status;
  expect(await save(1)).toBe(204);

  await first.kill();
  expect((await becomes(one, "store", "degraded")).reason).toContain(`the component behind ${first.path} is gone`);
  const refused = await one.fetch("/v1.0/state/store/k");
  expect(refused.status).toBe(500);
  expect(await refused.text()).toContain("rpc error: code = Unavailable");

  await folder.serve("shelf.sock", services);
  await becomes(one, "store", "ready");
  expect(seen).toEqual(["init cellar", "init cellar"]);
  expect(await save(2)).toBe(204);
  expect(await (await one.fetch("/v1.0/state/store/k")).text()).toBe("2");
});

it("a call that comes before the sidecar has noticed the return finds the component", async () => {
  await using folder = await socketsFolder();
  const first = await folder.serve("gate.sock", [outputBinding()]);
  const one = await folder.sidecar({ resources: component("gate", "bindings.gate") });
  const invoke = async () =>
    (await one.fetch("/v1.0/bindings/gate", post({ operation: "create", data: 1, metadata: { name: "n" } }))).status;
  expect(await invoke()).toBe(200);
  await first.kill();
  await becomes(one, "gate", "degraded");
  await folder.serve("gate.sock", [outputBinding()]);
  expect(await invoke()).toBe(200);
  await becomes(one, "gate", "ready");
});

it("subscriptions are opened again, and what the broker held for them is delivered", async () => {
  await using folder = await socketsFolder();
  const broker = await inMemoryBroker();
  const services = [pubSubService(broker, { features: [] })];
  const first = await folder.serve("wire.sock", services);
  const events: unknown[] = [];
  await using app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders" }],
    answer: ({ url, body }) => {
      if (url === "/orders") events.push((JSON.parse(body) as { data: unknown }).data);
      return undefined;
    },
  });
  const one = await folder.sidecar({ appPort: app.port, resources: component("broker", "pubsub.wire") });
  const publish = async (data: string) => (await one.fetch("/v1.0/publish/broker/orders", post(data))).status;
  expect(await publish("before")).toBe(204);
  await until("the first event is delivered", () => events.includes("before"));

  await first.kill();
  await becomes(one, "broker", "degraded");
  expect(await publish("lost")).toBe(500);
  await folder.serve("wire.sock", services);
  await becomes(one, "broker", "ready");
  await until("an event is delivered again", async () => {
    expect(await publish("after")).toBe(204);
    return events.includes("after");
  });
  expect(events).not.toContain("lost");
  expect(one.logger.said("Failed to receive pubsub message: ")).toBe(true);
});

import { expect, it } from "vitest";
import { pubSubService } from "../harness/pluggable/pubsub-service.ts";
import { inMemoryBroker, socketsFolder } from "../harness/pluggable/sidecar.ts";
import { component } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

/** A sidecar whose app holds every event until it is released, behind a broker that notes what it is told. */
async function heldDelivery(pausable: boolean) {
  const folder = await socketsFolder();
  const settled: string[] = [];
  const broker = await inMemoryBroker();
  await folder.serve("wire.sock", [pubSubService(broker, { features: [], pausable, settled })]);
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders" }],
    answer: async ({ url }) => {
      if (url === "/orders") {
        entered.resolve();
        await release.promise;
      }
      return undefined;
    },
  });
  const one = await folder.sidecar({
    appPort: app.port,
    resources: component("broker", "pubsub.wire"),
    gracefulShutdownMs: 60_000,
  });
  const publish = (text: string) =>
    broker.publish({
      topic: "orders",
      data: Buffer.from(JSON.stringify({ specversion: "1.0", id: text, source: "s", type: "t", data: text })),
      contentType: undefined,
      metadata: {},
    });
  return {
    one,
    settled,
    publish,
    entered: entered.promise,
    release: release.resolve,
    async [Symbol.asyncDispose]() {
      release.resolve();
      await folder[Symbol.asyncDispose]();
      await app.close();
    },
  };
}

it("at a shutdown the event in hand is acknowledged, and one that comes then is neither taken nor refused", async () => {
  await using held = await heldDelivery(false);
  void held.publish("first");
  await held.entered;
  const stopping = held.one.stop();
  await until("the subscription closes", () => held.one.logger.said("falling back to close-first shutdown"));
  void held.publish("second");
  held.release();
  await stopping;
  expect(held.settled.filter((each) => each !== "pause")).toEqual(["ok 1"]);
});

it("a broker that can pause is paused first", async () => {
  await using held = await heldDelivery(true);
  void held.publish("first");
  await held.entered;
  const stopping = held.one.stop();
  await until("the broker is paused", () => held.settled.includes("pause"));
  held.release();
  await stopping;
  expect(held.settled.toSorted()).toEqual(["ok 1", "pause"]);
});

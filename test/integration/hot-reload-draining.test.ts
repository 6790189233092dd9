import { expect, it } from "vitest";
import { inputBinding } from "../harness/pluggable/binding-services.ts";
import { pubSubService } from "../harness/pluggable/pubsub-service.ts";
import { inMemoryBroker, socketsFolder } from "../harness/pluggable/sidecar.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { eventually } from "../harness/watched-sidecar.ts";

const hotReload = { reconcileMs: 60_000 };

it("a broker that is removed keeps its connection until the delivery under way is acknowledged", async () => {
  await using sockets = await socketsFolder();
  await using resources = await temporaryFolder();
  const settled: string[] = [];
  const broker = await inMemoryBroker();
  await sockets.serve("wire.sock", [pubSubService(broker, { features: [], pausable: false, settled })]);
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await using app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders" }],
    answer: async ({ url }) => {
      if (url === "/orders") {
        entered.resolve();
        await release.promise;
      }
      return undefined;
    },
  });
  await resources.write("a.yaml", component("broker", "pubsub.wire"));
  const one = await sockets.sidecar({ appPort: app.port, resourcesPaths: [resources.path], hotReload });
  const data = Buffer.from(JSON.stringify({ specversion: "1.0", id: "1", source: "s", type: "t", data: 1 }));
  void broker.publish({ topic: "orders", data, contentType: undefined, metadata: {} });
  await entered.promise;
  await resources.write("a.yaml", "");
  await eventually("the component is gone", () => one.logger.said("Component removed: broker (pubsub.wire/v1)"));
  expect(settled).toEqual([]);
  release.resolve();
  await eventually("the acknowledgement", () => settled.length > 0);
  expect(settled).toEqual(["ok 1"]);
});

it("an input binding that is removed answers the event under way, and refuses later ones meanwhile", async () => {
  await using sockets = await socketsFolder();
  await using resources = await temporaryFolder();
  const binding = inputBinding();
  await sockets.serve("gate.sock", [binding.service]);
  const release = Promise.withResolvers<void>();
  await using app = await startTestApp({
    answer: async ({ method, url }) => {
      if (method === "POST" && url === "/in") {
        await release.promise;
        return { body: "done" };
      }
      return undefined;
    },
  });
  await resources.write("a.yaml", component("in", "bindings.gate", { direction: "input" }));
  const one = await sockets.sidecar({ appPort: app.port, resourcesPaths: [resources.path], hotReload });
  const events = (): number => app.at("/in").filter(({ method }) => method === "POST").length;
  await eventually("an event reaches the app", () => (events() === 0 && binding.send("one"), events() > 0));
  await resources.write("a.yaml", "");
  await eventually("the component is gone", () => one.logger.said("Component removed: in (bindings.gate/v1)"));
  binding.send("late");
  await eventually("the late one is refused", () =>
    binding.answers.some(({ responseError }) => responseError?.message === "input binding is closed"),
  );
  release.resolve();
  await eventually("the first one has its answer", () =>
    binding.answers.some(({ responseData }) => Buffer.from(responseData).toString() === "done"),
  );
});

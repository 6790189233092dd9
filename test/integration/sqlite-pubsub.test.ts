import { join } from "node:path";
import { expect, it } from "vitest";
import { component, temporaryFolder } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

it("a sidecar that was away gets what others published meanwhile, delayed messages in their time", async () => {
  await using folder = await temporaryFolder();
  const resources = component("broker", "pubsub.sqlite", { connectionString: join(folder.path, "broker.db") });
  let lateMs = 0;
  await using app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders" }],
    answer: ({ body }) => {
      if (body.includes('"late"')) lateMs = Date.now();
      return undefined;
    },
  });
  const subscriber = (): Promise<TestSidecar> => startTestSidecar({ appId: "shop", appPort: app.port, resources });
  await (await subscriber()).stop();

  await using publisher = await startTestSidecar({ appId: "till", resources });
  const publish = async (data: string, query = ""): Promise<void> => {
    const response = await publisher.fetch(`/v1.0/publish/broker/orders${query}`, { method: "POST", body: data });
    expect(response.status).toBe(204);
  };
  const startedMs = Date.now();
  await publish("late", "?metadata.delayInSeconds=1.5");
  for (const data of ["1", "2", "3"]) {
    await publish(data);
  }
  expect(app.at("/orders")).toEqual([]);
  await using _ = await subscriber();
  await until("all have come", () => app.at("/orders").length === 4);
  const data = app.at("/orders").map(({ body }) => (JSON.parse(body) as { data: string }).data);
  expect(data.toSorted()).toEqual(["1", "2", "3", "late"]);
  expect(lateMs - startedMs).toBeGreaterThanOrEqual(1_490);
});

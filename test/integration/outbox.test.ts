import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { createRuntime } from "../../src/embed/index.ts";
import {
  ExecuteStateTransactionRequestSchema,
  GetStateRequestSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/state_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const OUTBOX = { outboxPublishPubsub: "broker", outboxPublishTopic: "orders" };
const RESOURCES = [component("store", "state.in-memory", OUTBOX), component("broker", "pubsub.in-memory")].join(
  "---\n",
);

interface Event {
  readonly id: string;
  readonly data: unknown;
  readonly [attribute: string]: unknown;
}

const subscriber = (): Promise<TestApp> =>
  startTestApp({ subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders" }] });
const events = (app: TestApp): Event[] => app.at("/orders").map(({ body }) => JSON.parse(body) as Event);
const posted = (body: unknown): RequestInit => ({ method: "POST", body: JSON.stringify(body) });

describe("the outbox", () => {
  it("publishes what an HTTP transaction saved, with metadata as attributes, and nothing for a delete", async () => {
    await using app = await subscriber();
    await using one = await startTestSidecar({ appPort: app.port, resources: RESOURCES });
    const transact = async (operation: string, request: unknown): Promise<void> => {
      const body = posted({ operations: [{ operation, request }] });
      expect((await one.fetch("/v1.0/state/store/transaction", body)).status).toBe(204);
    };
    const metadata = { "outbox.cloudevent.myapp": "myapp1", data: "a", id: "b" };
    await transact("upsert", { key: "1", value: "2", metadata });
    await until("the event is there", () => app.at("/orders").length === 1);
    await transact("delete", { key: "1", metadata });
    await transact("upsert", { key: "last", value: { n: 1 }, contentType: "application/json" });
    await until("the last event is there", () => app.at("/orders").length === 2);
    expect(events(app)).toMatchObject([
      { data: "2", "outbox.cloudevent.myapp": "myapp1", topic: "orders", pubsubname: "broker", source: "test-app" },
      { data: { n: 1 }, datacontenttype: "application/json" },
    ]);
    expect(events(app)[0]?.id).toMatch(/^outbox-/);
    expect((await one.fetch("/v1.0/state/store/1")).status).toBe(204);
  });

  it("publishes the projection and stores the other, over gRPC", async () => {
    await using app = await subscriber();
    await using one = await startTestSidecar({ appPort: app.port, resources: RESOURCES });
    const upsert = (value: string, metadata = {}) => ({
      operationType: "upsert",
      request: { key: "1", value: Buffer.from(value), metadata },
    });
    const operations = [upsert("2"), upsert("3", { "outbox.projection": "true" })];
    const request = create(ExecuteStateTransactionRequestSchema, { storeName: "store", operations });
    await one.grpc.call(daprMethods.executeStateTransaction, request);
    await until("the event is there", () => app.at("/orders").length === 1);
    expect(events(app)[0]?.data).toBe("3");
    const stored = await one.grpc.call(
      daprMethods.getState,
      create(GetStateRequestSchema, { storeName: "store", key: "1" }),
    );
    expect(Buffer.from(stored.data).toString()).toBe("2");
  });

  it("runs without an app, and its subscription is listed with the others", async () => {
    await using one = await startTestSidecar({ resources: RESOURCES });
    expect(await (await one.fetch("/outrigger/v1/subscriptions")).json()).toMatchObject({
      subscriptions: [
        {
          pubsubname: "broker",
          topic: "defaulttest-appordersoutbox",
          source: "outbox",
          store: "store",
          state: "active",
        },
      ],
    });
    const { subscriptions } = (await (await one.fetch("/v1.0/metadata")).json()) as { subscriptions?: unknown };
    expect(subscriptions).toBeUndefined();
    const body = posted({ operations: [{ operation: "upsert", request: { key: "1", value: "2" } }] });
    expect((await one.fetch("/v1.0/state/store/transaction", body)).status).toBe(204);
  });

  it("refuses a transaction whose event may not be published, and saves nothing", async () => {
    const resources = [
      component("store", "state.in-memory", OUTBOX),
      component("broker", "pubsub.in-memory", { publishingScopes: "test-app=other" }),
    ].join("---\n");
    await using one = await startTestSidecar({ resources });
    const body = posted({ operations: [{ operation: "upsert", request: { key: "1", value: "2" } }] });
    const answer = await one.fetch("/v1.0/state/store/transaction", body);
    const reason = "topic defaulttest-appordersoutbox is not allowed for app id test-app";
    expect([answer.status, await answer.json()]).toMatchObject([
      500,
      {
        errorCode: "ERR_PUBLISH_OUTBOX",
        message: `error while publishing outbox message: ${reason}`,
        details: [{ reason: "DAPR_PUBSUB_OUTBOX", metadata: { appID: "test-app", error: reason } }],
      },
    ]);
    expect((await one.fetch("/v1.0/state/store/1")).status).toBe(204);
  });

  it("works in the embedded shape", async () => {
    await using folder = await temporaryFolder();
    await folder.write("resources.yaml", RESOURCES);
    const arrived = Promise.withResolvers<Event>();
    const runtime = await createRuntime({
      appId: "shop",
      resourcesPaths: [folder.path],
      app: (exchange) => {
        if (exchange.target === "/dapr/subscribe") {
          const list = [{ pubsubname: "broker", topic: "orders", route: "/orders" }];
          exchange.respond(200, ["content-type", "application/json"], JSON.stringify(list));
        } else if (exchange.target === "/orders") {
          void exchange.readBody(0).then((body) => {
            exchange.respond(200, []);
            arrived.resolve(JSON.parse(Buffer.from(body).toString()) as Event);
          });
        } else {
          exchange.respond(404, []);
        }
      },
    });
    const value = Buffer.from('"2"');
    const item = {
      key: "1",
      value,
      valueIsJson: true,
      etag: undefined,
      metadata: {},
      concurrency: "",
      consistency: "",
    };
    await runtime.state.transaction({ store: "store", operations: [{ kind: "upsert", item }], metadata: {} });
    expect(await arrived.promise).toMatchObject({ data: "2", source: "shop" });
    await runtime.close();
  });
});

import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { methodsOf } from "../../src/net/grpc/protobuf.ts";
import { GrpcError } from "../../src/net/grpc/status.ts";
import { FeaturesResponseSchema, PingResponseSchema } from "../../src/wire/gen/dapr/proto/components/v1/common_pb.js";
import {
  PubSub as PubSubService,
  PubSubInitResponseSchema,
  PullMessagesResponseSchema,
} from "../../src/wire/gen/dapr/proto/components/v1/pubsub_pb.js";
import { inMemoryStore, socketsFolder } from "../harness/pluggable/sidecar.ts";
import { stateServices } from "../harness/pluggable/state-services.ts";
import { component } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const MESSAGES = 400;
const PADDING_BYTES = 16 * 1024;

/** For all messages, one after the other, on a busy machine. */
const PATIENCE_MS = 45_000;

/** What may be on its way to an app that takes nothing: the windows of the connection and the queue of the stream. */
const ON_THE_WAY_MAX = 200;

it("an app that takes its time holds the component, and gets its messages in order", async () => {
  await using folder = await socketsFolder();
  let given = 0;
  const acknowledged: string[] = [];
  await folder.serve("flood.sock", [
    {
      service: PubSubService,
      register: (server) =>
        server.addService(methodsOf(PubSubService), {
          init: () => create(PubSubInitResponseSchema),
          features: () => create(FeaturesResponseSchema),
          ping: () => create(PingResponseSchema),
          async *pullMessages(requests) {
            void (async () => {
              for await (const { ackMessageId } of requests) {
                if (ackMessageId !== "") acknowledged.push(ackMessageId);
              }
            })().catch(() => undefined);
            for (; given < MESSAGES; given += 1) {
              const event = { specversion: "1.0", id: String(given), source: "s", type: "t", data: given };
              const padded = { ...event, padding: "x".repeat(PADDING_BYTES) };
              const data = Buffer.from(JSON.stringify(padded));
              yield create(PullMessagesResponseSchema, { id: String(given), topicName: "orders", data });
            }
            await until("all are acknowledged", () => acknowledged.length === MESSAGES, PATIENCE_MS);
          },
        }),
    },
  ]);
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const seen: unknown[] = [];
  await using app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders" }],
    answer: async ({ url, body }) => {
      if (url !== "/orders") return undefined;
      entered.resolve();
      await release.promise;
      seen.push((JSON.parse(body) as { data: unknown }).data);
      return undefined;
    },
  });
  const one = await folder.sidecar({ appPort: app.port, resources: component("broker", "pubsub.flood") });
  await entered.promise;
  for (let turn = 0; turn < 50; turn += 1) {
    expect((await one.fetch("/v1.0/healthz")).status).toBe(204);
  }
  expect(given).toBeLessThan(ON_THE_WAY_MAX);
  release.resolve();
  await until("all are acknowledged", () => acknowledged.length === MESSAGES, PATIENCE_MS);
  expect(seen).toEqual(Array.from({ length: MESSAGES }, (_, index) => index));
});

it("an answer that is too large is refused with its size and the limit", async () => {
  await using folder = await socketsFolder();
  const store = await inMemoryStore();
  const bytes = { metadata: {}, etag: undefined, concurrency: "", consistency: "", valueIsJson: false } as const;
  await store.set({ ...bytes, key: "test-app||big", value: new Uint8Array(200_000) });
  await folder.serve("shelf.sock", stateServices(store, { features: [] }));
  const one = await folder.sidecar({ resources: component("store", "state.shelf"), maxBodyBytes: 100_000 });
  const response = await one.fetch("/v1.0/state/store/big");
  expect(response.status).toBe(500);
  expect(await response.text()).toMatch(
    /rpc error: code = ResourceExhausted desc = grpc: received message larger than max \(2000\d\d vs\. 100000\)/,
  );
});

it("a component that refuses its Init keeps the sidecar from starting, in its words", async () => {
  await using folder = await socketsFolder();
  const onInit = (): never => {
    throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "where is the place?");
  };
  await folder.serve("shelf.sock", stateServices(await inMemoryStore(), { features: [], onInit }));
  await expect(folder.sidecar({ resources: component("store", "state.shelf") })).rejects.toThrow(
    "initialization error occurred for store (state.shelf/v1): rpc error: code = InvalidArgument desc = where is the place?",
  );
});

it("a type that no socket offers is unknown", async () => {
  await using folder = await socketsFolder();
  await expect(folder.sidecar({ resources: component("store", "state.shelf") })).rejects.toThrow(
    "couldn't find state store state.shelf/v1",
  );
});

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { stateBlock } from "../../blocks/state/state-block.fixture.ts";
import { stateDeps } from "../../components/in-memory/state-store.fixture.ts";
import { InMemoryStateStore } from "../../components/in-memory/state-store.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import { ListStateRequestSchema, ListStateResponseSchema } from "../../wire/gen/outrigger/v1/state_pb.js";
import { stateListHandlers } from "./state-list.ts";

const CALL = {} as unknown as ServerCall;
const storeName = "mystore";

async function listing() {
  const store = new InMemoryStateStore(stateDeps(new VirtualClock()));
  await store.init({});
  for (const key of ["app||a", "app||b", "app||c"]) {
    const value = Buffer.from(key);
    await store.set({ key, value, valueIsJson: false, etag: "", metadata: {}, concurrency: "", consistency: "" });
  }
  return stateListHandlers(stateBlock(store).block);
}

test("lists page by page; what comes back encodes as the schema says", async () => {
  const { listState } = await listing();
  const first = await listState(create(ListStateRequestSchema, { storeName, pageSize: 2, includeValues: true }), CALL);
  const read = fromBinary(ListStateResponseSchema, toBinary(ListStateResponseSchema, first));
  expect(read.items.map(({ key, value }) => [key, Buffer.from(value).toString()])).toEqual([
    ["a", "app||a"],
    ["b", "app||b"],
  ]);
  expect(read.items[0]?.etag).not.toBe("");
  const second = await listState(create(ListStateRequestSchema, { storeName, pageSize: 2, token: read.token }), CALL);
  expect(second).toMatchObject({ items: [{ key: "c", value: new Uint8Array(0), etag: "" }], token: "" });
});

test("a page size of 0 stands for the default, a negative one is refused", async () => {
  const { listState } = await listing();
  expect((await listState(create(ListStateRequestSchema, { storeName }), CALL)).items).toHaveLength(3);
  await expect(listState(create(ListStateRequestSchema, { storeName, pageSize: -1 }), CALL)).rejects.toMatchObject({
    grpcStatus: 3,
  });
});

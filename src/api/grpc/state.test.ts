import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { RecordingStore, stateBlock } from "../../blocks/state/state-block.fixture.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import { etagMismatch } from "../../components/spi/etag-errors.ts";
import { stateDeps } from "../../components/in-memory/state-store.fixture.ts";
import { InMemoryStateStore } from "../../components/in-memory/state-store.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { metadataOf } from "../../net/grpc/metadata.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import {
  DeleteBulkStateRequestSchema,
  DeleteStateRequestSchema,
  ExecuteStateTransactionRequestSchema,
  GetBulkStateRequestSchema,
  GetBulkStateResponseSchema,
  GetStateRequestSchema,
  GetStateResponseSchema,
  QueryStateRequestSchema,
  SaveStateRequestSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/state_pb.js";
import { stateHandlers } from "./state.ts";

/** State methods look at nothing of their call but its trace. */
const CALL = { metadata: metadataOf() } as unknown as ServerCall;

const storeName = "mystore";
const bytes = (text: string): Uint8Array => Buffer.from(text);

async function inMemory() {
  const store = new InMemoryStateStore(stateDeps(new VirtualClock()));
  await store.init({});
  return stateHandlers(stateBlock(store).block);
}

const recording = (store: RecordingStore) => stateHandlers(stateBlock(store).block);
const save = (states: MessageInitShape<typeof SaveStateRequestSchema>["states"]) =>
  create(SaveStateRequestSchema, { storeName, states: states ?? [] });
const get = (key: string) => create(GetStateRequestSchema, { storeName, key });

const errorInfo = (reason: string): unknown => ({ kind: "ErrorInfo", reason, domain: "dapr.io" });

describe("the state methods", () => {
  test("save and get bytes; what comes back encodes as the schema says", async () => {
    const handlers = await inMemory();
    await handlers.saveState(save([{ key: "k", value: bytes("value1"), metadata: { ttlInSeconds: "3" } }]), CALL);
    const response = await handlers.getState(get("k"), CALL);
    const decoded = fromBinary(GetStateResponseSchema, toBinary(GetStateResponseSchema, response));
    expect(Buffer.from(decoded.data).toString()).toBe("value1");
    expect(decoded.etag).toMatch(/^[0-9a-f-]{36}$/);
    expect(decoded.metadata).toEqual({ ttlExpireTime: "2026-01-02T03:04:08Z" });
  });

  test("a missing key is an empty answer", async () => {
    const response = await (await inMemory()).getState(get("k"), CALL);
    expect(toBinary(GetStateResponseSchema, response)).toHaveLength(0);
  });

  test("an empty value is kept, with an etag", async () => {
    const handlers = await inMemory();
    await handlers.saveState(save([{ key: "k" }]), CALL);
    const response = await handlers.getState(get("k"), CALL);
    expect(response.data).toHaveLength(0);
    expect(response.etag).not.toBe("");
  });

  test("bulk get has one item per key, in the order asked", async () => {
    const handlers = await inMemory();
    await handlers.saveState(
      save([
        { key: "a", value: bytes("1") },
        { key: "b", value: bytes("2") },
      ]),
      CALL,
    );
    const response = await handlers.getBulkState(
      create(GetBulkStateRequestSchema, { storeName, keys: ["b", "none", "a"] }),
      CALL,
    );
    const { items } = fromBinary(GetBulkStateResponseSchema, toBinary(GetBulkStateResponseSchema, response));
    expect(items.map(({ key, data, error }) => [key, Buffer.from(data).toString(), error])).toEqual([
      ["b", "2", ""],
      ["none", "", ""],
      ["a", "1", ""],
    ]);
  });

  test("etags and options reach the store by their names", async () => {
    const store = new RecordingStore();
    const handlers = recording(store);
    const options = { concurrency: 1, consistency: 2 };
    await handlers.saveState(
      save([{ key: "k", value: bytes("1"), etag: { value: "7" }, options }, { key: "l" }]),
      CALL,
    );
    await handlers.deleteState(
      create(DeleteStateRequestSchema, {
        storeName,
        key: "k",
        etag: { value: "7" },
        options: { concurrency: 2, consistency: 1 },
      }),
      CALL,
    );
    await handlers.deleteBulkState(
      create(DeleteBulkStateRequestSchema, { storeName, states: [{ key: "l", etag: { value: "8" } }] }),
      CALL,
    );
    await handlers.getState(
      create(GetStateRequestSchema, { storeName, key: "k", consistency: 1, metadata: { p: "q" } }),
      CALL,
    );
    expect(store.calls).toMatchObject([
      { operation: "set", etag: "7", concurrency: "first-write", consistency: "strong", valueIsJson: false },
      { operation: "set", etag: undefined, concurrency: "", consistency: "" },
      { operation: "delete", etag: "7", concurrency: "last-write", consistency: "eventual" },
      { operation: "delete", key: "app||l", etag: "8" },
      { operation: "get", consistency: "eventual", metadata: { p: "q" } },
    ]);
  });

  test("a transaction is done whole", async () => {
    const handlers = await inMemory();
    await handlers.saveState(save([{ key: "b", value: bytes("1") }]), CALL);
    const operations = [
      { operationType: "upsert", request: { key: "a", value: bytes("2") } },
      { operationType: "delete", request: { key: "b" } },
    ];
    await handlers.executeStateTransaction(
      create(ExecuteStateTransactionRequestSchema, { storeName, operations }),
      CALL,
    );
    expect(Buffer.from((await handlers.getState(get("a"), CALL)).data).toString()).toBe("2");
    expect((await handlers.getState(get("b"), CALL)).etag).toBe("");
  });
});

describe("errors", () => {
  test("missing stores say so without the app's id", async () => {
    const handlers = await inMemory();
    const failure = {
      message: "state store other is not found",
      grpcStatus: 3,
      details: [errorInfo("DAPR_STATE_NOT_FOUND")],
    };
    await expect(handlers.getState(create(GetStateRequestSchema, { storeName: "other" }), CALL)).rejects.toMatchObject(
      failure,
    );
  });

  test("an empty key is refused", async () => {
    const failure = { message: "state key cannot be empty", grpcStatus: 3, details: [errorInfo("ERR_STATE_SAVE")] };
    await expect((await inMemory()).saveState(save([{ value: bytes("1") }]), CALL)).rejects.toMatchObject(failure);
  });

  test("failures of the store name their code", async () => {
    const store = new RecordingStore();
    store.failures.set("app||k", new ComponentError("unavailable", "down"));
    store.failures.set("app||l", etagMismatch("x"));
    const handlers = recording(store);
    await expect(handlers.getState(get("k"), CALL)).rejects.toMatchObject({
      message: "fail to get k from state store mystore: down",
      grpcStatus: 13,
      details: [errorInfo("ERR_STATE_GET")],
    });
    await expect(handlers.saveState(save([{ key: "l" }]), CALL)).rejects.toMatchObject({
      grpcStatus: 10,
      details: [errorInfo("ERR_STATE_SAVE")],
    });
    await expect(
      handlers.deleteState(create(DeleteStateRequestSchema, { storeName, key: "l" }), CALL),
    ).rejects.toMatchObject({
      grpcStatus: 10,
      details: [errorInfo("ERR_STATE_DELETE")],
    });
  });

  test("an illegal key is told plainly", async () => {
    const message = "input key/keyPrefix 'a||b' can't contain '||'";
    await expect((await inMemory()).getState(get("a||b"), CALL)).rejects.toMatchObject({
      message,
      details: [
        { fieldViolations: [{ field: "a||b", description: message }] },
        { kind: "ResourceInfo" },
        errorInfo("DAPR_STATE_ILLEGAL_KEY"),
      ],
    });
  });

  test("an unknown operation of a transaction is unimplemented", async () => {
    const operations = [{ operationType: "merge", request: { key: "a" } }];
    const handlers = await inMemory();
    await expect(
      handlers.executeStateTransaction(create(ExecuteStateTransactionRequestSchema, { storeName, operations }), CALL),
    ).rejects.toMatchObject({
      message: "operation type merge not supported",
      grpcStatus: 12,
      details: [errorInfo("ERR_NOT_SUPPORTED_STATE_OPERATION")],
    });
  });

  test("queries are not supported", async () => {
    const handlers = await inMemory();
    const request = create(QueryStateRequestSchema, { storeName, query: "{}" });
    await expect(handlers.queryStateAlpha1(request, CALL)).rejects.toThrow("state store does not support querying");
  });
});

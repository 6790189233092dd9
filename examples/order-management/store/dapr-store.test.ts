import { CommunicationProtocolEnum, type DaprClient } from "@dapr/dapr";
import { expect, it } from "vitest";
import { DaprVersionedStore } from "./dapr-store.ts";
import { EtagConflictError } from "./versioned-store.ts";

/** As much of the SDK's client as the store uses; keeps what would be sent. */
function client(protocol: CommunicationProtocolEnum, answers: { bulk?: unknown; failure?: Error } = {}) {
  const sent: unknown[] = [];
  const state = {
    getBulk: async () => await Promise.resolve(answers.bulk),
    transaction: async (_name: string, operations: unknown) => {
      sent.push(operations);
      if (answers.failure !== undefined) throw answers.failure;
      await Promise.resolve();
    },
  };
  return {
    sent,
    store: new DaprVersionedStore(
      { options: { communicationProtocol: protocol }, state } as unknown as DaprClient,
      "s",
    ),
  };
}

const CHANGES = [
  { key: "a", value: { n: 1 }, etag: "7" },
  { key: "b", value: { n: 2 }, etag: undefined },
  { key: "c", value: undefined, etag: "9" },
];
const options = { concurrency: 1, consistency: 2 };

it("sends JSON over HTTP, with the ETags as text", async () => {
  const { sent, store } = client(CommunicationProtocolEnum.HTTP);
  await store.write(CHANGES);
  expect(JSON.parse(JSON.stringify(sent))).toEqual([
    [
      { operation: "upsert", request: { key: "a", value: { n: 1 }, etag: "7", options } },
      { operation: "upsert", request: { key: "b", value: { n: 2 }, options } },
      { operation: "delete", request: { key: "c", etag: "9", options } },
    ],
  ]);
});

it("sends text over gRPC, with ETags that the SDK makes text of", async () => {
  const { sent, store } = client(CommunicationProtocolEnum.GRPC);
  await store.write(CHANGES);
  const [operations] = sent as [{ request: { value?: unknown; etag?: unknown } }[]];
  expect(operations.map(({ request }) => request.value)).toEqual(['{"n":1}', '{"n":2}', undefined]);
  expect(operations.map(({ request }) => `${request.etag as string}`)).toEqual(["7", "undefined", "9"]);
});

it("asks for nothing when nothing is to be written", async () => {
  const { sent, store } = client(CommunicationProtocolEnum.HTTP);
  await store.write([]);
  expect(sent).toEqual([]);
});

it("tells a stale ETag from every other failure", async () => {
  const stale = new Error('{"error_msg":"possible etag mismatch. error from state store"}');
  await expect(client(CommunicationProtocolEnum.HTTP, { failure: stale }).store.write(CHANGES)).rejects.toThrow(
    EtagConflictError,
  );
  const away = new Error("connect ECONNREFUSED");
  await expect(client(CommunicationProtocolEnum.HTTP, { failure: away }).store.write(CHANGES)).rejects.toBe(away);
});

it("reads the records that exist", async () => {
  const bulk = [{ key: "a", data: { n: 1 }, etag: "7" }, { key: "b" }, { key: "c", data: "", etag: "" }];
  const { store } = client(CommunicationProtocolEnum.HTTP, { bulk });
  expect([...(await store.read(["a", "b", "c"]))]).toEqual([["a", { value: { n: 1 }, etag: "7" }]]);
  const failing = client(CommunicationProtocolEnum.HTTP, { bulk: [{ key: "a", error: "broken" }] });
  await expect(failing.store.read(["a"])).rejects.toThrow("could not read a: broken");
});

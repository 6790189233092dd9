import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { RangeResponseSchema, ResponseOpSchema, TxnResponseSchema } from "../../wire/gen/etcdserverpb/rpc_pb.js";
import { KeyValueSchema } from "../../wire/gen/mvccpb/kv_pb.js";
import { type EtcdWrite, mismatchOf, txnOf } from "./writes.ts";

function write(key: string, more: Partial<EtcdWrite> = {}): EtcdWrite {
  return {
    key: Buffer.from(key),
    keyText: key,
    etag: undefined,
    firstWrite: false,
    put: { value: Buffer.from("v"), lease: 0n },
    ...more,
  };
}

/** What etcd answers when a comparison did not hold: how each compared key is. */
function refused(...revisions: (bigint | undefined)[]) {
  return create(TxnResponseSchema, {
    responses: revisions.map((modRevision) => {
      const kvs = modRevision === undefined ? [] : [create(KeyValueSchema, { modRevision })];
      return create(ResponseOpSchema, {
        response: { case: "responseRange", value: create(RangeResponseSchema, { kvs }) },
      });
    }),
  });
}

it("compares what etags and first writes ask for, and nothing else", () => {
  const { compare, success, failure } = txnOf([
    write("plain"),
    write("etag", { etag: "7", put: undefined }),
    write("first", { firstWrite: true }),
    write("empty", { etag: "" }),
  ]);
  expect(compare.map(({ key, targetUnion }) => [Buffer.from(key).toString(), targetUnion])).toEqual([
    ["etag", { case: "modRevision", value: 7n }],
    ["first", { case: "createRevision", value: 0n }],
  ]);
  expect(success.map(({ request }) => request.case)).toEqual([
    "requestPut",
    "requestDeleteRange",
    "requestPut",
    "requestPut",
  ]);
  expect(failure).toHaveLength(2);
});

it("writes a key once, as the last of its writes says", () => {
  const { success } = txnOf([write("a"), write("b"), write("a", { put: undefined })]);
  const keyOf = ({ request: { value } }: (typeof success)[number]): string =>
    value !== undefined && "key" in value ? Buffer.from(value.key).toString() : "";
  expect(success.map((operation) => [operation.request.case, keyOf(operation)])).toEqual([
    ["requestDeleteRange", "a"],
    ["requestPut", "b"],
  ]);
});

it.each(["soon", "-1", "0", "99999999999999999999"])("an etag that no key can have matches none: %s", (etag) => {
  const [compare] = txnOf([write("k", { etag })]).compare;
  expect(compare?.targetUnion).toEqual({ case: "modRevision", value: 2n ** 63n - 1n });
});

it.each([
  [write("k", { etag: "7" }), 9n, "state etag not match for key=k: current=9, expect=7"],
  [write("k", { etag: "7" }), undefined, "state not exist or expired for key=k"],
  [write("k", { firstWrite: true }), 9n, "item already exists and no etag was passed"],
])("says in Dapr's words why nothing was written", (one, revision, reason) => {
  const error = mismatchOf([one], refused(revision));
  expect([error.kind, error.message]).toEqual([
    "etagMismatch",
    `possible etag mismatch. error from state store: ${reason}`,
  ]);
});

it("names the one of several that did not match", () => {
  const writes = [write("plain"), write("good", { etag: "3" }), write("bad", { etag: "4" })];
  expect(mismatchOf(writes, refused(3n, 5n)).message).toContain("key=bad: current=5, expect=4");
});

import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { RangeResponseSchema, ResponseOpSchema, TxnResponseSchema } from "../../wire/gen/etcdserverpb/rpc_pb.js";
import { KeyValueSchema } from "../../wire/gen/mvccpb/kv_pb.js";
import { type EtcdWrite, isFenceBroken, mismatchOf, txnOf } from "./writes.ts";

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

const HELD = write("fence", { held: Buffer.from('"x-1"') });
const NEW = write("fence", { firstWrite: true });

/** What etcd answers when a comparison did not hold: the fence's value first. */
function refusedAt(value: string | undefined, ...revisions: (bigint | undefined)[]) {
  const kvs = value === undefined ? [] : [create(KeyValueSchema, { value: Buffer.from(value) })];
  const first = create(ResponseOpSchema, {
    response: { case: "responseRange", value: create(RangeResponseSchema, { kvs }) },
  });
  return create(TxnResponseSchema, { responses: [first, ...refused(...revisions).responses] });
}

it("compares a fence by its value, and asks for it with what it answers", () => {
  const { compare, failure } = txnOf([HELD]);
  expect(compare[0]?.targetUnion).toEqual({ case: "value", value: Buffer.from('"x-1"') });
  expect(failure[0]?.request.value).toMatchObject({ keysOnly: false });
});

it.each([
  [HELD, '"x-1"', false],
  [HELD, '"x-2"', true],
  [HELD, undefined, true],
  [NEW, undefined, false],
  [NEW, '"x-1"', true],
])("tells a broken fence from a whole one (%#)", (fence, value, isBroken) => {
  expect(isFenceBroken(fence, refusedAt(value))).toBe(isBroken);
});

it("blames an etag, not the fence that was whole", () => {
  const error = mismatchOf([HELD, write("k", { etag: "7" })], refusedAt('"x-1"', 9n));
  expect(error.message).toContain("key=k: current=9, expect=7");
});

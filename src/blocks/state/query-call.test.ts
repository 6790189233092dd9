import { describe, expect, test } from "vitest";
import { ComponentError } from "../../components/spi/errors.ts";
import type { StateQueryRequest, StateQueryResult } from "../../components/spi/state-query.ts";
import { resultsOf } from "./query-call.ts";
import { RecordingStore, stateBlock, type StoreOptions } from "./state-block.fixture.ts";

const ENCRYPTED = {
  metadata: { primaryEncryptionKey: "000102030405060708090a0b0c0d0e0f" },
  secretNames: { primaryEncryptionKey: "k" },
};
const NOTHING: StateQueryResult = { items: [], token: "", metadata: undefined };

class QueriedStore extends RecordingStore {
  readonly asked: StateQueryRequest[] = [];
  answer: StateQueryResult | Error = NOTHING;

  async query(request: StateQueryRequest): Promise<StateQueryResult> {
    this.asked.push(request);
    if (this.answer instanceof Error) {
      throw this.answer;
    }
    return this.answer;
  }
}

const queryOf = (query = "{}") => ({ store: "mystore", query: Buffer.from(query), metadata: {} });

function queriedBlock(options: StoreOptions = {}) {
  const store = new QueriedStore();
  return { store, ...stateBlock(store, options) };
}

describe("a query is refused", () => {
  test("by a store that cannot be queried, a missing one being told first", async () => {
    const { block } = stateBlock(new RecordingStore());
    await expect(block.query({ ...queryOf(), store: "x" })).rejects.toThrow("state store x is not found");
    await expect(block.query(queryOf())).rejects.toMatchObject({
      message: "state store does not support querying",
      httpStatus: 500,
      details: [
        { kind: "ResourceInfo", resourceType: "state", resourceName: "mystore" },
        { kind: "ErrorInfo", reason: "DAPR_STATE_QUERYING_NOT_SUPPORTED", domain: "dapr.io" },
      ],
    });
  });

  test("by an encrypted store", async () => {
    const { block } = queriedBlock(ENCRYPTED);
    await expect(block.query(queryOf())).rejects.toMatchObject({
      message: "state store mystore query failed: cannot query encrypted store",
      entry: { code: "ERR_STATE_QUERY" },
      details: [{ kind: "ResourceInfo" }, { kind: "ErrorInfo", reason: "DAPR_STATE_QUERY_FAILED" }],
    });
  });

  test("when it cannot be read, before the store is asked", async () => {
    const { block, store } = queriedBlock();
    await expect(block.query(queryOf("{"))).rejects.toThrow(
      "state store mystore query failed: failed to parse JSON query body: unexpected end of JSON input",
    );
    await expect(block.query(queryOf('{"filter":{"LIKE":{"a":1}}}'))).rejects.toThrow(
      'failed to parse JSON query body: unsupported filter "LIKE"',
    );
    expect(store.asked).toEqual([]);
  });

  test("in the store's own words", async () => {
    const { block, store } = queriedBlock();
    store.answer = new ComponentError("invalidRequest", 'JSON path "a" is not indexed');
    await expect(block.query(queryOf())).rejects.toThrow(
      'state store mystore query failed: JSON path "a" is not indexed',
    );
  });
});

test("a query reaches its store parsed, and keys come back as the callers know them", async () => {
  const { block, store } = queriedBlock();
  const item = { data: Buffer.from("1"), etag: "1", error: undefined };
  store.answer = {
    items: [
      { ...item, key: "app||a" },
      { ...item, key: "bare" },
      { ...item, key: "app||type||id" },
    ],
    token: "3",
    metadata: undefined,
  };
  const result = await block.query({ ...queryOf('{"filter":{"EQ":{"a":1}}}'), metadata: { queryIndexName: "i" } });
  expect(result?.items.map(({ key }) => key)).toEqual(["a", "bare", "type"]);
  expect(result?.token).toBe("3");
  expect(store.asked).toMatchObject([
    { query: { filter: { operator: "EQ", key: "a", value: 1 } }, metadata: { queryIndexName: "i" } },
  ]);
});

test("a page without items is nothing, whatever else the store says", () => {
  expect(resultsOf({ ...NOTHING, token: "7" })).toBeUndefined();
});

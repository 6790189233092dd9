import { describe, expect, test } from "vitest";
import { ComponentError } from "../../components/spi/errors.ts";
import { etagInvalid, etagMismatch } from "../../components/spi/etag-errors.ts";
import type { StateOperation } from "../../components/spi/state.ts";
import { RecordingStore, stateBlock } from "./state-block.fixture.ts";
import type { SaveItem } from "./types.ts";

const KEY = "000102030405060708090a0b0c0d0e0f";
const ENCRYPTED = { metadata: { primaryEncryptionKey: KEY }, secretNames: { primaryEncryptionKey: "k" } };

const item = (key: string, value: string, rest: Partial<SaveItem> = {}): SaveItem => ({
  key,
  value: Buffer.from(value),
  valueIsJson: true,
  etag: undefined,
  metadata: {},
  concurrency: "",
  consistency: "",
  ...rest,
});

const getOf = (key: string, store = "mystore") => ({ store, key, consistency: "", metadata: {} });
const deleteOf = (key: string) => ({ ...item(key, ""), store: "mystore" });

/** The facts of an ApiError that doors show. */
const answer = (code: string, message: string, httpStatus: number, grpcStatus: number): unknown => {
  const entry: unknown = expect.objectContaining({ code });
  return expect.objectContaining({ entry, message, httpStatus, grpcStatus });
};

describe("finding the store", () => {
  test("without any store the state API is not configured, with others this one is not found", async () => {
    const { block, view } = stateBlock(new RecordingStore());
    const failure = answer("ERR_STATE_STORE_NOT_FOUND", "state store other is not found", 400, 3);
    await expect(block.get(getOf("k", "other"))).rejects.toEqual(failure);
    expect(() => block.requireStore("other")).toThrow("state store other is not found");
    view.remove("mystore");
    const absent = answer("ERR_STATE_STORE_NOT_CONFIGURED", "state store mystore is not configured", 500, 9);
    await expect(block.get(getOf("k"))).rejects.toEqual(absent);
  });

  test("missing stores carry one ErrorInfo", async () => {
    const { block } = stateBlock(new RecordingStore());
    await expect(block.save({ store: "x", items: [] })).rejects.toMatchObject({
      details: [{ kind: "ErrorInfo", reason: "DAPR_STATE_NOT_FOUND", domain: "dapr.io" }],
    });
  });

  test("a replaced store is used at once, with its own settings", async () => {
    const { block, view } = stateBlock(new RecordingStore());
    const second = new RecordingStore();
    view.add("mystore", second, { metadata: { keyPrefix: "name" } });
    await block.save({ store: "mystore", items: [item("k", "1")] });
    expect([...second.values.keys()]).toEqual(["mystore||k"]);
  });

  test("a store whose settings cannot be followed is not served, and the log says why", async () => {
    const bad = { metadata: { keyPrefix: "a||b" } };
    const { block, lines } = stateBlock(new RecordingStore(), bad);
    await expect(block.get(getOf("k"))).rejects.toThrow("state store mystore is not found");
    expect(lines).toEqual(["error: state store mystore is not served: input key/keyPrefix 'a||b' can't contain '||'"]);
  });
});

describe("keys", () => {
  test("are prefixed for the store and bare for the caller", async () => {
    const store = new RecordingStore();
    const { block } = stateBlock(store);
    await block.save({ store: "mystore", items: [item("k", "1")] });
    expect([...store.values.keys()]).toEqual(["app||k"]);
    const request = { store: "mystore", keys: ["k", "none"], parallelism: 0, metadata: {} };
    expect((await block.bulkGet(request)).map(({ key, item: found }) => [key, found?.etag])).toEqual([
      ["k", "1"],
      ["none", undefined],
    ]);
  });

  test("with the separator are refused everywhere, with Dapr's details", async () => {
    const store = new RecordingStore();
    const { block } = stateBlock(store);
    const message = "input key/keyPrefix 'a||b' can't contain '||'";
    const illegal = {
      message,
      httpStatus: 400,
      grpcStatus: 3,
      details: [
        { kind: "BadRequest", fieldViolations: [{ field: "a||b", description: message }] },
        { kind: "ResourceInfo", resourceType: "state", resourceName: "mystore" },
        { kind: "ErrorInfo", reason: "DAPR_STATE_ILLEGAL_KEY", domain: "dapr.io" },
      ],
    };
    store.transact = async () => undefined;
    const { block: transactional } = stateBlock(store);
    const bad = item("a||b", "1");
    await expect(block.get(getOf("a||b"))).rejects.toMatchObject(illegal);
    await expect(block.delete(deleteOf("a||b"))).rejects.toMatchObject(illegal);
    await expect(block.save({ store: "mystore", items: [item("k", "1"), bad] })).rejects.toMatchObject(illegal);
    await expect(block.bulkDelete({ store: "mystore", items: [bad] })).rejects.toMatchObject(illegal);
    await expect(
      block.bulkGet({ store: "mystore", keys: ["a||b"], parallelism: 0, metadata: {} }),
    ).rejects.toMatchObject(illegal);
    const operations = [{ kind: "upsert", item: bad }];
    await expect(transactional.transaction({ store: "mystore", operations, metadata: {} })).rejects.toMatchObject(
      illegal,
    );
    expect(store.calls).toEqual([]);
  });

  test("may not be empty in a save", async () => {
    const { block } = stateBlock(new RecordingStore());
    await expect(block.save({ store: "mystore", items: [item("", "1")] })).rejects.toEqual(
      answer("ERR_STATE_SAVE", "state key cannot be empty", 400, 3),
    );
  });
});

describe("failures of a store", () => {
  const broken = (error: unknown) => {
    const store = new RecordingStore();
    store.failures.set("app||k", error);
    return stateBlock(store).block;
  };
  const down = new ComponentError("unavailable", "connection refused");

  test("are told in Dapr's words", async () => {
    const block = broken(down);
    await expect(block.get(getOf("k"))).rejects.toEqual(
      answer("ERR_STATE_GET", "fail to get k from state store mystore: connection refused", 500, 13),
    );
    await expect(block.delete(deleteOf("k"))).rejects.toEqual(
      answer("ERR_STATE_DELETE", "failed deleting state with key k: connection refused", 500, 13),
    );
    await expect(block.save({ store: "mystore", items: [item("k", "1")] })).rejects.toEqual(
      answer("ERR_STATE_SAVE", "failed saving state in state store mystore: connection refused", 500, 13),
    );
    await expect(block.bulkDelete({ store: "mystore", items: [item("k", "")] })).rejects.toEqual(
      answer("ERR_STATE_BULK_DELETE", "failed deleting state in state store mystore: connection refused", 500, 13),
    );
  });

  test("etags that do not match are a conflict, unreadable ones the caller's fault", async () => {
    const text = "possible etag mismatch. error from state store: x";
    await expect(broken(etagMismatch("x")).delete(deleteOf("k"))).rejects.toEqual(
      answer("ERR_STATE_DELETE", `failed deleting state with key k: ${text}`, 409, 10),
    );
    await expect(broken(etagInvalid("x")).save({ store: "mystore", items: [item("k", "1")] })).rejects.toEqual(
      answer("ERR_STATE_SAVE", "failed saving state in state store mystore: invalid etag value: x", 400, 3),
    );
  });

  test("a bug of a store is not dressed up", async () => {
    const bug = new TypeError("undefined is not a function");
    await expect(broken(bug).get(getOf("k"))).rejects.toBe(bug);
    await expect(broken(bug).save({ store: "mystore", items: [item("k", "1"), item("l", "1")] })).rejects.toBe(bug);
    await expect(broken(bug).bulkGet({ store: "mystore", keys: ["k"], parallelism: 1, metadata: {} })).rejects.toBe(
      bug,
    );
  });

  test("in a bulk read concern their key alone", async () => {
    const results = await broken(down).bulkGet({ store: "mystore", keys: ["k", "l"], parallelism: 2, metadata: {} });
    expect(results).toEqual([
      { key: "k", item: undefined, error: "connection refused" },
      { key: "l", item: undefined, error: undefined },
    ]);
  });

  test("of a bulk read as a whole are told bare", async () => {
    const store = Object.assign(new RecordingStore(), { bulkGet: () => Promise.reject(down) });
    const { block } = stateBlock(store);
    await expect(block.bulkGet({ store: "mystore", keys: ["k"], parallelism: 0, metadata: {} })).rejects.toEqual(
      answer("ERR_STATE_BULK_GET", "connection refused", 500, 2),
    );
  });
});

describe("saving several items", () => {
  const saving = async (failures: Record<string, ComponentError>): Promise<RecordingStore> => {
    const store = new RecordingStore();
    for (const [key, failure] of Object.entries(failures)) {
      store.failures.set(`app||${key}`, failure);
    }
    await stateBlock(store).block.save({ store: "mystore", items: ["a", "b", "c"].map((key) => item(key, "1")) });
    return store;
  };
  const prefix = "failed saving state in state store mystore: ";
  const mismatch = "possible etag mismatch. error from state store: ";

  test("writes each, whatever becomes of the others", async () => {
    expect([...(await saving({})).values.keys()]).toEqual(["app||a", "app||b", "app||c"]);
    await expect(saving({ a: new ComponentError("unavailable", "down") })).rejects.toEqual(
      answer("ERR_STATE_SAVE", `${prefix}down`, 500, 13),
    );
  });

  test("when all failures are about etags, so is the answer", async () => {
    await expect(saving({ a: etagMismatch("1"), c: etagMismatch("3") })).rejects.toEqual(
      answer("ERR_STATE_SAVE", `${prefix}${mismatch}${mismatch}1\n${mismatch}3`, 409, 10),
    );
    await expect(saving({ a: etagMismatch("1"), c: etagInvalid("3") })).rejects.toEqual(
      answer("ERR_STATE_SAVE", `${prefix}invalid etag value: ${mismatch}1\ninvalid etag value: 3`, 400, 3),
    );
  });

  test("of a mixture the etag error gives the status", async () => {
    await expect(saving({ a: new ComponentError("unavailable", "down"), b: etagMismatch("2") })).rejects.toEqual(
      answer("ERR_STATE_SAVE", `${prefix}down\n${mismatch}2`, 409, 10),
    );
  });
});

describe("options", () => {
  test("that nobody knows are refused when writing and ignored when reading", async () => {
    const store = new RecordingStore();
    const { block } = stateBlock(store);
    await expect(block.save({ store: "mystore", items: [item("k", "1", { concurrency: "x" })] })).rejects.toThrow(
      "failed saving state in state store mystore: unrecognized concurrency model 'x'",
    );
    await expect(block.delete({ ...deleteOf("k"), consistency: "x" })).rejects.toThrow(
      "failed deleting state with key k: unrecognized consistency model 'x'",
    );
    expect(store.calls).toEqual([]);
    await block.get({ ...getOf("k"), consistency: "x" });
    expect(store.calls).toMatchObject([{ operation: "get", consistency: "" }]);
  });

  test("reach the store as given", async () => {
    const store = new RecordingStore();
    const { block } = stateBlock(store);
    const options = { etag: "7", concurrency: "first-write", consistency: "strong", metadata: { ttlInSeconds: "3" } };
    await block.save({ store: "mystore", items: [item("k", "1", options)] });
    await block.delete({ ...deleteOf("k"), ...options });
    await block.get({ ...getOf("k"), consistency: "eventual", metadata: { partitionKey: "p" } });
    expect(store.calls).toMatchObject([
      { operation: "set", ...options, valueIsJson: true },
      { operation: "delete", ...options },
      { operation: "get", consistency: "eventual", metadata: { partitionKey: "p" } },
    ]);
  });
});

describe("values that say they are JSON", () => {
  const metadata = { contentType: "application/json" };

  test("are stored as such, and must be it", async () => {
    const store = new RecordingStore();
    const { block } = stateBlock(store);
    await block.save({ store: "mystore", items: [item("k", '{"a":1}', { valueIsJson: false, metadata })] });
    await block.save({ store: "mystore", items: [item("l", "text", { valueIsJson: false })] });
    expect(store.calls).toMatchObject([{ valueIsJson: true }, { valueIsJson: false }]);
    await expect(
      block.save({ store: "mystore", items: [item("k", "fox", { valueIsJson: false, metadata })] }),
    ).rejects.toEqual(
      answer("ERR_MALFORMED_REQUEST", "invalid character 'o' in literal false (expecting 'a')", 400, 2),
    );
  });
});

describe("encryption", () => {
  test("hides values from the store and is announced", async () => {
    const store = new RecordingStore();
    const { block, lines } = stateBlock(store, ENCRYPTED);
    await block.save({ store: "mystore", items: [item("k", '"secret"')] });
    expect(Buffer.from(store.values.get("app||k") ?? []).toString()).toMatch(/^[A-Za-z0-9+/=]+\|\|k$/);
    expect(store.calls).toMatchObject([{ valueIsJson: false }]);
    expect(Buffer.from((await block.get(getOf("k")))?.data ?? []).toString()).toBe("secret");
    expect(lines[0]).toBe("info: Automatic encryption enabled for state store mystore");
    expect(lines).toHaveLength(2);
  });

  test("a value that cannot be decrypted is an error of its key", async () => {
    const store = new RecordingStore();
    store.values.set("app||k", Buffer.from("plain"));
    const { block } = stateBlock(store, ENCRYPTED);
    const reason = "could not decrypt data for state store mystore: encryption key name not found on record";
    await expect(block.get(getOf("k"))).rejects.toEqual(
      answer("ERR_STATE_GET", `fail to get k from state store mystore: ${reason}`, 500, 13),
    );
    expect(await block.bulkGet({ store: "mystore", keys: ["k"], parallelism: 0, metadata: {} })).toEqual([
      { key: "k", item: undefined, error: reason },
    ]);
  });

  test("covers transactions", async () => {
    const operations: StateOperation[] = [];
    const store = new RecordingStore();
    store.transact = async (given) => void operations.push(...given);
    const { block } = stateBlock(store, ENCRYPTED);
    await block.transaction({
      store: "mystore",
      operations: [{ kind: "upsert", item: item("k", '"secret"') }],
      metadata: {},
    });
    const [operation] = operations;
    expect(operation?.kind === "upsert" ? Buffer.from(operation.request.value).toString() : "").toMatch(/\|\|k$/);
  });

  test("a key in clear text is no key, and the log warns", async () => {
    const { lines } = stateBlock(new RecordingStore(), { metadata: { primaryEncryptionKey: KEY } });
    expect(lines).toEqual([
      expect.stringMatching(
        /^warn: state store mystore is NOT encrypted: primaryEncryptionKey must come from a secretKeyRef/,
      ),
    ]);
  });

  test("a key that cannot be used keeps the store from being served", async () => {
    const { block, lines } = stateBlock(new RecordingStore(), {
      ...ENCRYPTED,
      metadata: { primaryEncryptionKey: "0011" },
    });
    expect(lines).toEqual(["error: state store mystore is not served: crypto/aes: invalid key size 2"]);
    await expect(block.get(getOf("k"))).rejects.toThrow("state store mystore is not found");
  });
});

describe("transactions", () => {
  const transactional = (max?: number) => {
    const given: { operations: readonly StateOperation[]; metadata: unknown }[] = [];
    const store = new RecordingStore();
    store.transact = async (operations, metadata) => void given.push({ operations, metadata });
    if (max !== undefined) {
      store.transactionOperationsMax = max;
    }
    return { store, given, block: stateBlock(store).block };
  };
  const operations = [
    { kind: "upsert", item: item("a", "1", { metadata: { ttlInSeconds: "5" } }) },
    { kind: "delete", item: item("b", "", { etag: "7" }) },
  ];

  test("reach the store whole, in order, with their metadata", async () => {
    const { block, given } = transactional();
    await block.transaction({ store: "mystore", operations, metadata: { partitionKey: "p" } });
    expect(given).toMatchObject([
      {
        operations: [
          { kind: "upsert", request: { key: "app||a", metadata: { ttlInSeconds: "5" } } },
          { kind: "delete", request: { key: "app||b", etag: "7" } },
        ],
        metadata: { partitionKey: "p" },
      },
    ]);
  });

  test("are refused where the store cannot do them, with Dapr's details", async () => {
    const { block } = stateBlock(new RecordingStore());
    const refusal = {
      message: "state store mystore doesn't support transactions",
      httpStatus: 500,
      grpcStatus: 12,
      details: [
        {
          kind: "Help",
          links: [
            {
              url: "https://docs.dapr.io/reference/components-reference/supported-state-stores/",
              description: "Check the list of state stores and the features they support",
            },
          ],
        },
        { kind: "ResourceInfo", resourceType: "state", resourceName: "mystore" },
        { kind: "ErrorInfo", reason: "DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED", domain: "dapr.io" },
      ],
    };
    await expect(block.transaction({ store: "mystore", operations, metadata: {} })).rejects.toMatchObject(refusal);
    const { store } = transactional();
    const { block: silent } = stateBlock(store, { capabilities: [] });
    expect(() => silent.requireTransactional("mystore")).toThrow(refusal.message);
  });

  test("longer than the store allows are refused with both numbers", async () => {
    const { block, given } = transactional(1);
    await expect(block.transaction({ store: "mystore", operations, metadata: {} })).rejects.toMatchObject({
      message: "the transaction contains 2 operations, which is more than what the state store supports: 1",
      httpStatus: 400,
      grpcStatus: 3,
      details: [
        { kind: "ResourceInfo", resourceType: "state", resourceName: "mystore" },
        {
          kind: "ErrorInfo",
          reason: "DAPR_STATE_TOO_MANY_TRANSACTIONS",
          domain: "dapr.io",
          metadata: { currentOpsTransaction: "2", maxOpsPerTransaction: "1" },
        },
      ],
    });
    expect(given).toEqual([]);
  });

  test("know two operations", async () => {
    const { block } = transactional();
    const unknown = [{ kind: "merge", item: item("a", "1") }];
    await expect(block.transaction({ store: "mystore", operations: unknown, metadata: {} })).rejects.toEqual(
      answer("ERR_NOT_SUPPORTED_STATE_OPERATION", "operation type merge not supported", 400, 12),
    );
  });

  test("that fail are internal errors, even for an etag", async () => {
    const store = new RecordingStore();
    store.transact = () => Promise.reject(etagMismatch("x"));
    const { block } = stateBlock(store);
    await expect(block.transaction({ store: "mystore", operations, metadata: {} })).rejects.toEqual(
      answer(
        "ERR_STATE_TRANSACTION",
        "error while executing state transaction: possible etag mismatch. error from state store: x",
        500,
        13,
      ),
    );
  });

  test("without operations succeed without the store", async () => {
    const { block, given } = transactional();
    await block.transaction({ store: "mystore", operations: [], metadata: {} });
    expect(given).toEqual([]);
  });
});

test("every call that reached a store is counted under its name, with its outcome and latency", async () => {
  const seen: unknown[] = [];
  const calls = { of: (name: string) => ({ record: (...call: unknown[]) => void seen.push([name, ...call]) }) };
  const store = new RecordingStore();
  store.failures.set("app||bad", new ComponentError("unavailable", "down"));
  const { block, clock } = stateBlock(store, {}, { calls });
  const set = store.set.bind(store);
  store.set = async (request) => {
    clock.advance(5);
    return set(request);
  };
  await block.save({ store: "mystore", items: [item("k", "1")] });
  await block.get(getOf("bad")).catch(() => undefined);
  await block.get(getOf("a||b")).catch(() => undefined);
  expect(seen).toEqual([
    ["mystore", "set", true, 5],
    ["mystore", "get", false, 0],
  ]);
});

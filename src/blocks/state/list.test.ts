import { describe, expect, test } from "vitest";
import { ComponentError } from "../../components/spi/errors.ts";
import { KeyPage } from "../../components/spi/key-page.ts";
import type { ListedKeys, ListKeysRequest } from "../../components/spi/state.ts";
import { LIST_PAGE_SIZE_MAX, LIST_PAGE_VALUE_BYTES_MAX } from "./list.ts";
import { RecordingStore, stateBlock, type StoreOptions } from "./state-block.fixture.ts";
import type { ListState } from "./types.ts";

const KEY = "000102030405060708090a0b0c0d0e0f";

class ListedStore extends RecordingStore {
  readonly asked: ListKeysRequest[] = [];
  failure: Error | undefined;

  async listKeys(request: ListKeysRequest): Promise<ListedKeys> {
    this.asked.push(request);
    if (this.failure !== undefined) {
      throw this.failure;
    }
    const page = new KeyPage(request);
    for (const key of this.values.keys()) {
      page.offer(key);
    }
    return page.result();
  }
}

const listOf = (rest: Partial<ListState> = {}): ListState => ({
  store: "mystore",
  prefix: "",
  includeValues: false,
  metadata: {},
  ...rest,
});

function listedBlock(options: StoreOptions = {}, keys: readonly string[] = [], namespace = "") {
  const store = new ListedStore();
  for (const key of keys) {
    store.values.set(key, Buffer.from(JSON.stringify(key)));
  }
  return { store, ...stateBlock(store, options, { namespace }) };
}

const names = ({ items }: { readonly items: readonly { readonly key: string }[] }) => items.map(({ key }) => key);

describe("a listing shows the app's own keys, without the prefix", () => {
  const ALL = [
    "app||a",
    "app||b",
    "app||type||id||k",
    "other||a",
    "app2||a",
    "ns.app||a",
    "mystore||a",
    "team||a",
    "bare",
  ];

  test.each([
    ["appid", ["a", "b"]],
    ["name", ["a"]],
    ["namespace", ["a"]],
    ["Team", ["a"]],
    ["none", ["bare"]],
  ])("under the strategy %s", async (keyPrefix, expected) => {
    const { block } = listedBlock({ metadata: { keyPrefix } }, ALL, "ns");
    expect(names(await block.list(listOf()))).toEqual(expected);
  });

  test("and not the markers that an outbox lays beside them", async () => {
    const marker = "outbox-0b0f4f6e-6f5c-4d6e-8a51-0d3c1f7c9a11";
    const outbox = { keyPrefix: "none", outboxPublishPubsub: "p", outboxPublishTopic: "t" };
    const { block } = listedBlock({ metadata: outbox }, [marker, "outbox-mine", "k"]);
    expect(names(await block.list(listOf({ includeValues: true })))).toEqual(["k", "outbox-mine"]);
    expect(names(await block.list(listOf()))).toEqual(["k", "outbox-mine"]);
  });
});

describe("pages", () => {
  test("follow each other by their tokens", async () => {
    const { block } = listedBlock({}, ["app||o1", "app||o2", "app||o3", "app||x"]);
    const first = await block.list(listOf({ prefix: "o", pageSize: 2 }));
    expect(names(first)).toEqual(["o1", "o2"]);
    const second = await block.list(listOf({ prefix: "o", pageSize: 2, token: first.token }));
    expect([names(second), second.token]).toEqual([["o3"], undefined]);
  });

  test("have values where asked for, decrypted, and say what cannot be read", async () => {
    const store = new ListedStore();
    const secret = { metadata: { primaryEncryptionKey: KEY }, secretNames: { primaryEncryptionKey: "k" } };
    const { block } = stateBlock(store, secret);
    const item = { value: Buffer.from('"v"'), valueIsJson: true, etag: undefined, metadata: {} };
    await block.save({ store: "mystore", items: [{ ...item, key: "a", concurrency: "", consistency: "" }] });
    store.values.set("app||clear", Buffer.from("clear text"));
    const { items } = await block.list(listOf({ includeValues: true }));
    expect(items.map(({ key, item: each, error }) => [key, each && Buffer.from(each.data).toString(), error])).toEqual([
      ["a", "v", undefined],
      ["clear", undefined, "could not decrypt data for state store mystore: encryption key name not found on record"],
    ]);
    expect(names(await block.list(listOf()))).toEqual(["a", "clear"]);
  });

  test("leave out what went away between the keys and their values", async () => {
    const { block, store } = listedBlock({}, ["app||a", "app||b"]);
    const get = store.get.bind(store);
    store.get = (request) => (request.key === "app||a" ? Promise.resolve(undefined) : get(request));
    expect(names(await block.list(listOf({ includeValues: true })))).toEqual(["b"]);
  });

  test("end early where their values get too big, at least one item in each", async () => {
    const { block, store } = listedBlock();
    for (const key of ["a", "b", "c"]) {
      store.values.set(`app||${key}`, new Uint8Array(LIST_PAGE_VALUE_BYTES_MAX / 2 + 1));
    }
    store.values.set("app||d", new Uint8Array(LIST_PAGE_VALUE_BYTES_MAX * 2));
    const pages: string[][] = [];
    let token: string | undefined;
    do {
      const page = await block.list(listOf({ includeValues: true, token }));
      pages.push(names(page));
      token = page.token;
    } while (token !== undefined);
    expect(pages).toEqual([["a"], ["b"], ["c"], ["d"]]);
  });
});

describe("a listing is refused", () => {
  const refusal = (code: string, httpStatus: number, message: string) => ({ entry: { code }, httpStatus, message });

  test("by a store that cannot list", async () => {
    const { block } = stateBlock(new RecordingStore());
    await expect(block.list(listOf())).rejects.toMatchObject(
      refusal("ERR_STATE_LIST_NOT_SUPPORTED", 501, "state store mystore cannot list its keys"),
    );
  });

  test.each([0, -1, 1.5, Number.NaN, LIST_PAGE_SIZE_MAX + 1])("with a page size of %s", async (pageSize) => {
    const { block } = listedBlock();
    const error = refusal("ERR_STATE_LIST_PAGE_SIZE", 400, "the page size must be a whole number from 1 to 1000");
    await expect(block.list(listOf({ pageSize }))).rejects.toMatchObject(error);
  });

  test("with the token of another listing, or none of ours", async () => {
    const { block } = listedBlock({}, ["app||a1", "app||a2"]);
    const { token } = await block.list(listOf({ prefix: "a", pageSize: 1 }));
    await expect(block.list(listOf({ prefix: "b", token }))).rejects.toMatchObject({ httpStatus: 400 });
    await expect(block.list(listOf({ token: "!" }))).rejects.toThrow("the token comes from no page of this listing");
  });

  test("with a prefix that would leave the app's keys", async () => {
    const { block, store } = listedBlock();
    await expect(block.list(listOf({ prefix: "a||b" }))).rejects.toMatchObject({
      message: "input key/keyPrefix 'a||b' can't contain '||'",
    });
    expect(store.asked).toEqual([]);
  });

  test("in the store's words when it fails", async () => {
    const { block, store } = listedBlock();
    store.failure = new ComponentError("unavailable", "down");
    await expect(block.list(listOf())).rejects.toMatchObject(
      refusal("ERR_STATE_LIST", 500, "failed to list the keys of state store mystore: down"),
    );
  });
});

import { describe, expect, it } from "vitest";
import { stateBlock, type StoreOptions } from "../../blocks/state/state-block.fixture.ts";
import { stateDeps } from "../../components/in-memory/state-store.fixture.ts";
import { InMemoryStateStore } from "../../components/in-memory/state-store.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { testDoor } from "./door.fixture.ts";
import { stateRoutes } from "./state.ts";

const PATH = "/outrigger/v1/state/mystore";

async function listed(
  options: StoreOptions = {},
  body = '[{"key":"o 1","value":{"n":1}},{"key":"o2","value":"x"},{"key":"p","value":3}]',
) {
  const store = new InMemoryStateStore(stateDeps(new VirtualClock()));
  await store.init({});
  const { block } = stateBlock(store, options);
  const door = testDoor({ routes: stateRoutes(block, { maxBodyBytes: 1_000_000 }) });
  const save = async (items: string): Promise<number> =>
    (await door.call("POST", "/v1.0/state/mystore", [], items)).status;
  expect(await save(body)).toBe(204);
  const list = async (query = "") => {
    const answer = await door.call("GET", PATH + query);
    return { status: answer.status, json: JSON.parse(answer.text) as Record<string, unknown> };
  };
  return { door, save, list };
}

describe("GET /outrigger/v1/state/{store}", () => {
  it("lists keys, and only keys", async () => {
    const { list } = await listed();
    expect(await list()).toEqual({ status: 200, json: { items: [{ key: "o 1" }, { key: "o2" }, { key: "p" }] } });
    expect((await list("?prefix=o%20")).json).toEqual({ items: [{ key: "o 1" }] });
    expect((await list("?prefix=none")).json).toEqual({ items: [] });
  });

  it("goes on with the token of the page before", async () => {
    const { list } = await listed();
    const { json } = await list("?pageSize=2");
    expect(json["items"]).toHaveLength(2);
    expect((await list(`?pageSize=2&token=${String(json["token"])}`)).json).toEqual({ items: [{ key: "p" }] });
  });

  it("gives values that a save takes again", async () => {
    const { save, list } = await listed();
    const { json } = await list("?include=value");
    expect(json).toMatchObject({
      items: [
        { key: "o 1", value: { n: 1 }, etag: expect.any(String) as unknown },
        { key: "o2", value: "x" },
        { key: "p", value: 3 },
      ],
    });
    expect(await save(JSON.stringify(json["items"]))).toBe(204);
    expect(await save(JSON.stringify(json["items"])), "the etags are old").toBe(409);
  });

  it("lists encrypted stores too", async () => {
    const { list } = await listed({
      metadata: { primaryEncryptionKey: "000102030405060708090a0b0c0d0e0f" },
      secretNames: { primaryEncryptionKey: "key" },
    });
    expect((await list("?include=value&prefix=o")).json).toMatchObject({
      items: [
        { key: "o 1", value: { n: 1 } },
        { key: "o2", value: "x" },
      ],
    });
  });

  it.each([
    ["?pageSize=0", "ERR_STATE_LIST_PAGE_SIZE", "the page size must be a whole number from 1 to 1000"],
    ["?pageSize=1001", "ERR_STATE_LIST_PAGE_SIZE", "the page size must be a whole number from 1 to 1000"],
    ["?pageSize=ten", "ERR_STATE_LIST_PAGE_SIZE", "the page size must be a whole number from 1 to 1000"],
    ["?include=etag", "ERR_STATE_LIST_INCLUDE", "include is 'etag', but only 'value' can be included"],
    [
      "?token=x",
      "ERR_STATE_LIST_TOKEN",
      "the token comes from no page of this listing: pass on the token of the page before, with the same prefix",
    ],
  ])("refuses %s and says why", async (query, errorCode, message) => {
    const { list } = await listed();
    expect(await list(query)).toEqual({ status: 400, json: { errorCode, message } });
  });

  it("knows the stores that there are", async () => {
    const { door } = await listed();
    const answer = await door.call("GET", "/outrigger/v1/state/other");
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("state store other is not found");
  });
});

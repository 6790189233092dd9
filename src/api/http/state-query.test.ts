import { expect, it } from "vitest";
import { RecordingStore, stateBlock } from "../../blocks/state/state-block.fixture.ts";
import type { StateQueryResult } from "../../components/spi/state-query.ts";
import { testDoor } from "./door.fixture.ts";
import { stateRoutes } from "./state.ts";

const QUERY = "/v1.0-alpha1/state/mystore/query";

function queried(answer: StateQueryResult) {
  const asked: unknown[] = [];
  const store = Object.assign(new RecordingStore(), {
    query(request: unknown) {
      asked.push(request);
      return Promise.resolve(answer);
    },
  });
  const { block } = stateBlock(store);
  return { asked, ...testDoor({ routes: stateRoutes(block, { maxBodyBytes: 1_000 }) }) };
}

it("answers what was found, in Dapr's form", async () => {
  const { call, asked } = queried({
    items: [
      { key: "app||a", data: Buffer.from('{"n":1.0}'), etag: "7", error: undefined },
      { key: "app||b", data: new Uint8Array(0), etag: undefined, error: "unreadable" },
    ],
    token: "2",
    metadata: undefined,
  });
  const answer = await call("POST", `${QUERY}?metadata.queryIndexName=i`, [], '{"page":{"limit":2}}');
  expect([answer.status, answer.text]).toEqual([
    200,
    '{"results":[{"key":"a","data":{"n":1.0},"etag":"7"},{"key":"b","error":"unreadable","data":null}],"token":"2"}\n',
  ]);
  expect(asked).toMatchObject([{ query: { pageLimit: 2 }, metadata: { queryIndexName: "i" } }]);
});

it("answers nothing where nothing was found", async () => {
  const { call } = queried({ items: [], token: "", metadata: undefined });
  expect(await call("PUT", QUERY, [], "{}")).toMatchObject({ status: 204, text: "" });
});

it("refuses what is no query", async () => {
  const { call } = queried({ items: [], token: "", metadata: undefined });
  const answer = await call("POST", QUERY, [], '{"filter":{"EQ":1}}');
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    500,
    {
      errorCode: "ERR_STATE_QUERY",
      message: "state store mystore query failed: failed to parse JSON query body: EQ filter must be a map",
      details: [{ resource_name: "mystore" }, { reason: "DAPR_STATE_QUERY_FAILED" }],
    },
  ]);
});

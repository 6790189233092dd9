import { describe, expect, test } from "vitest";
import type { StateBlock } from "../../blocks/state/state-block.ts";
import {
  keepingLogger,
  RecordingStore,
  stateBlock,
  type StoreOptions,
} from "../../blocks/state/state-block.fixture.ts";
import { stateDeps } from "../../components/in-memory/state-store.fixture.ts";
import { InMemoryStateStore } from "../../components/in-memory/state-store.ts";
import { etagMismatch } from "../../components/spi/etag-errors.ts";
import type { StateStore } from "../../components/spi/state.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { callInProcess } from "../../net/http/in-process.ts";
import { createHttpDoor } from "./door.ts";
import { stateRoutes } from "./state.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly json: () => unknown;
}

/** The state routes behind a whole door, without sockets. */
function client(block: StateBlock) {
  const door = createHttpDoor({
    routes: stateRoutes(block, { maxBodyBytes: 1_000_000 }),
    fallback: (exchange) => exchange.respond(404, []),
    apiToken: "",
    allowedOrigins: "",
    accessRules: { allowed: [], denied: [] },
    observer: { exchangeDone: () => undefined, errorAnswered: () => undefined },
    clock: new VirtualClock(),
    logger: keepingLogger([]),
  });
  return async (method: string, target: string, body = "", headers: readonly string[] = []): Promise<Answer> => {
    const response = await callInProcess(door, { method, target, headers, body: Buffer.from(body) });
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body instanceof Uint8Array ? [response.body] : response.body) {
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString();
    const pairs: [string, string][] = [];
    for (let index = 0; index < response.headers.length; index += 2) {
      pairs.push([response.headers[index] ?? "", response.headers[index + 1] ?? ""]);
    }
    return {
      status: response.status,
      headers: Object.fromEntries(pairs),
      body: text,
      json: () => JSON.parse(text) as unknown,
    };
  };
}

async function inMemory(options: StoreOptions = {}) {
  const clock = new VirtualClock();
  const store = new InMemoryStateStore(stateDeps(clock));
  await store.init({});
  return { call: client(stateBlock(store, options).block), store };
}

const recording = (store: StateStore, options: StoreOptions = {}) => client(stateBlock(store, options).block);
const HOME = "/v1.0/state/mystore";
const ETAG: unknown = expect.stringMatching(/^[0-9a-f-]{36}$/);

describe("save and get", () => {
  test("a value comes back byte for byte, as JSON, with its etag", async () => {
    const { call } = await inMemory();
    expect(await call("POST", HOME, `[{"key":"k","value": {"b":1, "a":"\\u003c"} }]`)).toMatchObject({
      status: 204,
      body: "",
    });
    const answer = await call("GET", `${HOME}/k`);
    expect(answer).toMatchObject({
      status: 200,
      body: `{"b":1, "a":"\\u003c"}`,
      headers: { "content-type": "application/json" },
    });
    expect(answer.headers["etag"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("PUT saves too, an empty list saves nothing", async () => {
    const { call } = await inMemory();
    expect(await call("PUT", HOME, `[{"key":"k","value":1}]`)).toMatchObject({ status: 204 });
    expect(await call("POST", HOME, "[]")).toMatchObject({ status: 204, body: "" });
    expect(await call("GET", `${HOME}/k`)).toMatchObject({ body: "1" });
  });

  test("a missing key is 204 without a content type", async () => {
    const { call } = await inMemory();
    const answer = await call("GET", `${HOME}/k`);
    expect(answer).toMatchObject({ status: 204, body: "" });
    expect(answer.headers["etag"]).toBeUndefined();
  });

  test("the time of expiry is a header", async () => {
    const { call } = await inMemory();
    await call("POST", `${HOME}?metadata.ttlInSeconds=3`, `[{"key":"k","value":1}]`);
    expect((await call("GET", `${HOME}/k`)).headers["metadata.ttlexpiretime"]).toBe("2026-01-02T03:04:08Z");
  });

  test("keys are unescaped once", async () => {
    const { call } = await inMemory();
    await call("POST", HOME, `[{"key":"a/b c%20","value":1}]`);
    expect(await call("GET", `${HOME}/a%2Fb%20c%2520`)).toMatchObject({ status: 200, body: "1" });
  });

  test("query options reach the store", async () => {
    const store = new RecordingStore();
    const call = recording(store);
    await call("GET", `${HOME}/k?consistency=strong&metadata.partitionKey=p&metadata.partitionKey=q`);
    await call("DELETE", `${HOME}/k?consistency=eventual&concurrency=first-write`, "", ["If-Match", "7"]);
    expect(store.calls).toMatchObject([
      { operation: "get", consistency: "strong", metadata: { partitionKey: "p" } },
      { operation: "delete", consistency: "eventual", concurrency: "first-write", etag: "7" },
    ]);
  });
});

describe("delete", () => {
  test("removes, and a wrong etag is a conflict in Dapr's words", async () => {
    const { call } = await inMemory();
    await call("POST", HOME, `[{"key":"k","value":1}]`);
    const etag = (await call("GET", `${HOME}/k`)).headers["etag"] ?? "";
    const conflict = await call("DELETE", `${HOME}/k`, "", ["if-match", "x"]);
    expect(conflict.status).toBe(409);
    expect(conflict.json()).toEqual({
      errorCode: "ERR_STATE_DELETE",
      message: `failed deleting state with key k: possible etag mismatch. error from state store: state etag not match for key=app||k: current=${etag}, expect=x`,
    });
    expect(await call("DELETE", `${HOME}/k`, "", ["if-match", etag])).toMatchObject({ status: 204 });
    expect(await call("GET", `${HOME}/k`)).toMatchObject({ status: 204 });
  });
});

describe("bulk get", () => {
  test("answers in the order asked, values as they are, missing ones bare", async () => {
    const { call } = await inMemory();
    await call("POST", HOME, `[{"key":"a","value":{"x":1}},{"key":"b","value":"t","metadata":{"ttlInSeconds":"9"}}]`);
    const answer = await call("POST", `${HOME}/bulk`, `{"keys":["b","none","a"]}`);
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.body.endsWith("]\n")).toBe(true);
    expect(answer.json()).toEqual([
      { key: "b", data: "t", etag: ETAG, metadata: { ttlExpireTime: "2026-01-02T03:04:14Z" } },
      { key: "none" },
      { key: "a", data: { x: 1 }, etag: ETAG },
    ]);
  });

  test("no keys are an empty list", async () => {
    const { call } = await inMemory();
    expect(await call("PUT", `${HOME}/bulk`, `{"keys":[]}`)).toMatchObject({ status: 200, body: "[]\n" });
  });

  test("values that are no JSON become strings, bytes base64", async () => {
    const store = new RecordingStore();
    store.values.set("app||text", Buffer.from('say "hi"'));
    store.values.set("app||bytes", Buffer.from([0xff, 0x00]));
    const answer = await recording(store)("POST", `${HOME}/bulk`, `{"keys":["text","bytes"]}`);
    expect(answer.json()).toEqual([
      { key: "text", data: 'say "hi"', etag: "1" },
      { key: "bytes", data: "/wA=", etag: "1" },
    ]);
  });

  test("a key that cannot be read has its error", async () => {
    const store = new RecordingStore();
    store.failures.set("app||a", etagMismatch('"x"'));
    const answer = await recording(store)("POST", `${HOME}/bulk`, `{"keys":["a","b"]}`);
    expect(answer.json()).toEqual([
      { key: "a", error: 'possible etag mismatch. error from state store: "x"' },
      { key: "b" },
    ]);
  });
});

describe("transactions", () => {
  test("are done whole", async () => {
    const { call } = await inMemory();
    await call("POST", HOME, `[{"key":"b","value":1}]`);
    const body = `{"operations":[{"operation":"upsert","request":{"key":"a","value":{"x":1}}},{"operation":"delete","request":{"key":"b"}}]}`;
    expect(await call("POST", `${HOME}/transaction`, body)).toMatchObject({ status: 204, body: "" });
    expect(await call("GET", `${HOME}/a`)).toMatchObject({ status: 200, body: `{"x":1}` });
    expect(await call("GET", `${HOME}/b`)).toMatchObject({ status: 204 });
  });

  test("without operations are 204; an unknown operation is 400", async () => {
    const { call } = await inMemory();
    expect(await call("POST", `${HOME}/transaction`, "{}")).toMatchObject({ status: 204 });
    const answer = await call(
      "POST",
      `${HOME}/transaction`,
      `{"operations":[{"operation":"merge","request":{"key":"a"}}]}`,
    );
    expect([answer.status, answer.json()]).toEqual([
      400,
      { errorCode: "ERR_NOT_SUPPORTED_STATE_OPERATION", message: "operation type merge not supported" },
    ]);
  });

  test("a failed etag is 500", async () => {
    const { call } = await inMemory();
    const answer = await call(
      "POST",
      `${HOME}/transaction`,
      `{"operations":[{"operation":"delete","request":{"key":"a","etag":"1"}}]}`,
    );
    expect([answer.status, answer.json()]).toEqual([
      500,
      {
        errorCode: "ERR_STATE_TRANSACTION",
        message:
          "error while executing state transaction: possible etag mismatch. error from state store: state not exist or expired for key=app||a",
      },
    ]);
  });

  test("are refused before the body is read where the store has none", async () => {
    const answer = await recording(new RecordingStore())("POST", `${HOME}/transaction`, "no json");
    expect([answer.status, answer.json()]).toMatchObject([
      500,
      { errorCode: "ERR_STATE_STORE_NOT_SUPPORTED", details: [{}, {}, {}] },
    ]);
  });
});

describe("errors", () => {
  test.each([
    "",
    "{}",
    "foobar",
    "[{}]",
    `[{"key":"k","value":1},]`,
    `[{"key":"k","etag":123}]`,
    `[{"ey":"k","value":1}]`,
  ])("the body %j is malformed", async (body) => {
    const { call } = await inMemory();
    const answer = await call("POST", HOME, body);
    expect([answer.status, answer.json()]).toMatchObject([400, { errorCode: "ERR_MALFORMED_REQUEST" }]);
  });

  test("a body of saves is refused in bare words, others with a lead", async () => {
    const { call } = await inMemory();
    expect((await call("POST", HOME, "")).json()).toEqual({ errorCode: "ERR_MALFORMED_REQUEST", message: "EOF" });
    expect((await call("POST", HOME, "[{}]")).json()).toEqual({
      errorCode: "ERR_MALFORMED_REQUEST",
      message: '"key" is a required field',
    });
    const lead = { errorCode: "ERR_MALFORMED_REQUEST", message: "failed deserializing HTTP body: EOF" };
    expect((await call("POST", `${HOME}/bulk`, "")).json()).toEqual(lead);
    expect((await call("POST", `${HOME}/transaction`, "")).json()).toEqual(lead);
  });

  test("a missing store is told before the body is looked at, with the app's id", async () => {
    const { call } = await inMemory();
    const answer = await call("POST", "/v1.0/state/other", "");
    expect([answer.status, answer.json()]).toEqual([
      400,
      {
        errorCode: "ERR_STATE_STORE_NOT_FOUND",
        message: "state store other is not found",
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            domain: "dapr.io",
            metadata: { appID: "app" },
            reason: "DAPR_STATE_NOT_FOUND",
          },
        ],
      },
    ]);
  });

  test("an illegal key is told in Dapr's doubled words", async () => {
    const { call } = await inMemory();
    const message = "api error: code = InvalidArgument desc = input key/keyPrefix 'ke||y1' can't contain '||'";
    const answer = await call("POST", HOME, `[{"key":"ke||y1","value":"value1"}]`);
    expect([answer.status, answer.json()]).toMatchObject([
      400,
      {
        errorCode: "ERR_MALFORMED_REQUEST",
        message,
        details: [
          { field_violations: [{ field: "ke||y1", description: message }] },
          { resource_name: "mystore" },
          { reason: "DAPR_STATE_ILLEGAL_KEY" },
        ],
      },
    ]);
  });

  test("queries are not supported, whatever they ask", async () => {
    const { call } = await inMemory();
    const answer = await call("POST", "/v1.0-alpha1/state/mystore/query", "{}");
    expect([answer.status, answer.json()]).toMatchObject([
      500,
      {
        errorCode: "ERR_STATE_STORE_NOT_SUPPORTED",
        message: "state store does not support querying",
        details: [{ resource_name: "mystore" }, { reason: "DAPR_STATE_QUERYING_NOT_SUPPORTED" }],
      },
    ]);
    expect((await call("POST", "/v1.0-alpha1/state/other/query", "{}")).json()).toMatchObject({
      details: [{ metadata: null }],
    });
  });
});

test("an encrypted string is read without its quotes, as in Dapr", async () => {
  const { call } = await inMemory({
    metadata: { primaryEncryptionKey: "000102030405060708090a0b0c0d0e0f" },
    secretNames: { primaryEncryptionKey: "key" },
  });
  await call("POST", HOME, `[{"key":"k","value":"value1"}]`);
  expect(await call("GET", `${HOME}/k`)).toMatchObject({ status: 200, body: "value1" });
  expect((await call("POST", `${HOME}/bulk`, `{"keys":["k","none"]}`)).json()).toMatchObject([
    { key: "k", data: "value1" },
    { key: "none" },
  ]);
});

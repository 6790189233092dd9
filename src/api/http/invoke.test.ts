import { describe, expect, test } from "vitest";
import { collectBody } from "../../app/body.ts";
import type { InvokeCall, InvokeReply } from "../../app/types.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { COLLECT_EVERY_BYTES, StreamTally } from "../../kit/stream-tally.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { callInProcess } from "../../net/http/in-process.ts";
import type { HttpRequest } from "../../net/http/types.ts";
import { createHttpDoor } from "./door.ts";
import { invokeFallback, invokeRoutes } from "./invoke.ts";

const reply: InvokeReply = {
  status: { kind: "http", code: 200 },
  headers: [],
  trailers: [],
  contentType: "",
  body: Buffer.from("ok"),
};

interface Seen extends InvokeCall {
  readonly target: string;
}

function setUp(answer: InvokeReply = reply, maxBodyBytes = 0, tally?: StreamTally) {
  const seen: Seen[] = [];
  const options = {
    invocation: {
      invoke: (target: string, call: InvokeCall) => {
        seen.push({ ...call, target });
        return Promise.resolve(answer);
      },
    },
    maxBodyBytes,
    tally,
    logger: silentLogger,
  };
  const door = createHttpDoor({
    routes: invokeRoutes(options),
    fallback: invokeFallback(options),
    apiToken: "",
    allowedOrigins: "",
    accessRules: { allowed: [], denied: [] },
    observer: { exchangeDone: () => undefined, errorAnswered: () => undefined },
    clock: new VirtualClock(),
    logger: silentLogger,
  });
  const send = (target: string, more: Partial<HttpRequest> = {}) =>
    callInProcess(door, { method: "GET", target, headers: [], body: new Uint8Array(0), ...more });
  return { seen, send };
}

async function textOf(body: InvokeReply["body"]): Promise<string> {
  return Buffer.from(await collectBody(body, 0)).toString();
}

describe("the target", () => {
  test.each([
    ["/v1.0/invoke/app/method/foo", [], "app", "foo"],
    ["/v1.0/invoke/app/method/a/b?x=1", [], "app", "a/b"],
    ["/v1.0////invoke//app.ns/method//foo", [], "app.ns", "/foo"],
    ["/v1.0/invoke/app/method/", [], "app", ""],
    ["/v1.0/invoke/app/method/a%2F..%2Fb%23", [], "app", "a/../b#"],
    ["/v1.0/invoke/http%3A%2F%2Fx%3A80/method/m", [], "http://x:80", "m"],
    ["/v1.0/invoke/http://x:80/method/m", [], "http://x:80", "m"],
    ["///foo", ["Dapr-App-Id", "app"], "app", "///foo"],
    ["/v1.0/invoke/other/method/foo", ["dapr-app-id", "app"], "app", "/v1.0/invoke/other/method/foo"],
    ["/foo", ["Authorization", `Basic ${Buffer.from("Dapr-App-Id:app").toString("base64")}`], "app", "/foo"],
  ])("of %s with %j", async (target, headers, appId, method) => {
    const { seen, send } = setUp();
    expect((await send(target, { headers })).status).toBe(200);
    expect(seen[0]).toMatchObject({ target: appId, method });
  });

  test.each([
    ["/"],
    ["/v1.0/invoke/app"],
    ["/v1.0/invoke/app/method"],
    ["/v1.0/invoke//method/x"],
    ["/v1.0invoke/app/method/x"],
    ["/foo"],
  ])("of %s is missing", async (target) => {
    const { seen, send } = setUp();
    const response = await send(target, {
      headers: ["authorization", `Basic ${Buffer.from("user:app").toString("base64")}`],
    });
    expect(response.status).toBe(404);
    expect(JSON.parse(await textOf(response.body))).toEqual({
      errorCode: "ERR_DIRECT_INVOKE",
      message: "failed getting app id either from the URL path or the header dapr-app-id",
    });
    expect(seen).toEqual([]);
  });

  test("cannot be decoded: 400", async () => {
    expect((await setUp().send("/v1.0/invoke/app/method/%zz")).status).toBe(400);
  });
});

test("the call carries verb, query, content type and headers, but none that are for the sidecar", async () => {
  const { seen, send } = setUp();
  await send("/x?a=1&b", {
    method: "PUT",
    headers: Object.entries({
      "X-A": "1",
      "DAPR-API-TOKEN": "t",
      "dapr-app-id": "app",
      "Content-Type": "t/p",
      "Dapr-Caller-App-Id": "admin",
      "dapr-caller-namespace": "n",
      "dapr-callee-app-id": "x",
      "Destination-App-Id": "x",
    }).flat(),
    body: Buffer.from("hi"),
  });
  expect(seen[0]).toMatchObject({
    verb: "PUT",
    query: "a=1&b",
    contentType: "t/p",
    headers: ["X-A", "1", "Content-Type", "t/p"],
    origin: "http",
  });
  expect(seen[0]?.body).toBeInstanceOf(Uint8Array);
});

test("a body of unknown length is a stream; one beyond the limit never reaches the app", async () => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x");
  }
  const { seen, send } = setUp();
  await send("/v1.0/invoke/app/method/m", { method: "POST", body: chunks() });
  expect(seen[0]?.body).not.toBeInstanceOf(Uint8Array);
  const small = setUp(reply, 3);
  expect((await small.send("/v1.0/invoke/app/method/m", { method: "POST", body: Buffer.from("four") })).status).toBe(
    413,
  );
  expect(small.seen).toEqual([]);
});

test("streamed bodies are counted in both directions, whole ones are not", async () => {
  async function* large(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(COLLECT_EVERY_BYTES);
  }
  let collections = 0;
  const { seen, send } = setUp(
    { ...reply, body: large() },
    0,
    new StreamTally({
      collectYoung: () => void (collections += 1),
      collectAll: () => undefined,
      bufferBytes: () => 0,
    }),
  );
  const response = await send("/v1.0/invoke/app/method/m", { method: "POST", body: large() });
  expect(collections).toBe(0);
  await collectBody(response.body, 0);
  expect(collections).toBe(1);
  await collectBody(seen[0]?.body ?? expect.fail(), 0);
  expect(collections).toBe(2);
});

describe("the answer", () => {
  test("of an HTTP app passes verbatim, without its hop's headers", async () => {
    const { send } = setUp({
      ...reply,
      status: { kind: "http", code: 302 },
      headers: ["Location", "/y", "Connection", "close"],
      contentType: "t/p",
    });
    const response = await send("/v1.0/invoke/app/method/m");
    expect(response.status).toBe(302);
    expect(response.headers).toEqual(
      expect.arrayContaining(["location", "/y", "content-type", "t/p", "content-length", "2"]),
    );
    expect(response.headers).not.toContain("connection");
    expect(await textOf(response.body)).toBe("ok");
  });

  test("is streamed piece by piece, and cut off when the app breaks off", async () => {
    let release: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* events(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("1");
      await gate;
      throw new Error("broken");
    }
    const { send } = setUp({ ...reply, headers: ["Content-Type", "old"], body: events() });
    const response = await send("/v1.0/invoke/app/method/m", { headers: ["Accept", "text/event-stream"] });
    expect(response.headers).toEqual(
      expect.arrayContaining(["content-type", "text/event-stream", "cache-control", "no-cache"]),
    );
    const pieces = (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    expect(Buffer.from((await pieces.next()).value as Uint8Array).toString()).toBe("1");
    release?.();
    await expect(pieces.next()).rejects.toThrow();
  });

  test("of a gRPC app that succeeded is 200, one that failed is its status as JSON", async () => {
    const fine = await setUp({
      ...reply,
      status: { kind: "grpc", code: 0, message: "" },
      headers: ["grpc-x", "1"],
      contentType: "a/b",
    }).send("/v1.0/invoke/app/method/m");
    expect([fine.status, await textOf(fine.body)]).toEqual([200, "ok"]);
    expect(fine.headers).toEqual(expect.arrayContaining(["dapr-grpc-x", "1", "content-type", "a/b"]));
    const failed = await setUp({
      ...reply,
      status: { kind: "grpc", code: GRPC_STATUS.NOT_FOUND, message: "gone" },
      body: new Uint8Array(0),
    }).send("/v1.0/invoke/app/method/m");
    expect([failed.status, JSON.parse(await textOf(failed.body))]).toEqual([404, { code: 5, message: "gone" }]);
  });
});

import { expect, test } from "vitest";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { HttpClientError } from "../net/http/errors.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../net/http/types.ts";
import { AppUnreachableError } from "./app-unreachable-error.ts";
import { systemRandom } from "../kit/random.ts";
import { createResiliency } from "../resiliency/resiliency.ts";
import type { Policy } from "../resiliency/types.ts";
import { HttpAppChannel } from "./http-channel.ts";
import type { AppChannelOptions } from "./options.ts";
import type { AppChannel, InvokeCall, TopicEvent } from "./types.ts";

const clock = new VirtualClock();
const options: AppChannelOptions = {
  appId: "me",
  address: "http://127.0.0.1:3000",
  appToken: "",
  maxConcurrency: 0,
  healthPath: "healthz",
  maxBodyBytes: 0,
  clock,
  logger: silentLogger,
};

function setUp(
  answer: (request: HttpRequest) => Promise<HttpResponse> | HttpResponse,
  more: Partial<AppChannelOptions> = {},
) {
  const requests: HttpRequest[] = [];
  const client: HttpClient = {
    request: async (request) => {
      requests.push(request);
      return await answer(request);
    },
    close: () => Promise.resolve(),
  };
  return { requests, channel: new HttpAppChannel("http", client, { ...options, ...more }) };
}

async function initRetries(): Promise<Policy> {
  const random = { ...systemRandom, next: () => 0.5 };
  const resiliency = await createResiliency({ documents: [], clock, random, logger: silentLogger });
  return resiliency.builtIn("DaprBuiltInInitializationRetries");
}

const ok: HttpResponse = { status: 200, headers: [], body: new Uint8Array(0) };
const signal = new AbortController().signal;

function call(more: Partial<InvokeCall> = {}): InvokeCall {
  return {
    method: "a/b",
    verb: "POST",
    query: "x=1",
    headers: [],
    origin: "http",
    contentType: "",
    body: Buffer.from("hi"),
    ...more,
  };
}

const event: TopicEvent = {
  pubsubName: "p",
  topic: "t",
  path: "/orders?kind=1",
  envelope: Buffer.from(`{"id":"1"}`),
  fields: { id: "1", topic: "t" },
  rawPayload: false,
  metadata: { custom: "2", "content-length": "99" },
};

async function* streamed(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    yield Buffer.from(part);
  }
}

test("a call goes out with its path, query and body, and the app's answer comes back untouched", async () => {
  const { channel, requests } = setUp(() => ({
    status: 302,
    headers: ["Location", "/x", "Content-Type", "t/p"],
    body: Buffer.from("there"),
  }));
  const reply = await channel.invoke(call());
  expect(requests[0]).toMatchObject({ method: "POST", target: "/a/b?x=1", headers: [] });
  expect(reply).toMatchObject({
    status: { kind: "http", code: 302 },
    headers: ["Location", "/x", "Content-Type", "t/p"],
    contentType: "t/p",
  });
});

test("a stream keeps the length its sender declared", async () => {
  const { channel, requests } = setUp(() => ok);
  await channel.invoke(call({ body: streamed("x"), headers: ["Content-Length", "1"] }));
  await channel.invoke(call({ body: streamed("x") }));
  expect(requests.map((request) => request.headers)).toEqual([["content-length", "1"], []]);
});

test("a call without a verb is refused with Dapr's texts", async () => {
  const { channel, requests } = setUp(() => ok);
  await expect(channel.invoke(call({ verb: "" }))).rejects.toThrow("missing HTTP extension field");
  await expect(channel.invoke(call({ verb: "CONNECT" }))).rejects.toThrow("invalid HTTP verb");
  expect(requests).toEqual([]);
});

test("an unhealthy app is not called, but still probed", async () => {
  const { channel, requests } = setUp(() => ok, { isHealthy: () => false });
  await expect(channel.invoke(call())).rejects.toThrow("app is not in a healthy state");
  expect(await channel.probe(signal)).toBeUndefined();
  expect(requests.map((request) => request.target)).toEqual(["/healthz"]);
});

test("a probe says why the app is not well", async () => {
  const { channel } = setUp(() => ({ ...ok, status: 503 }));
  expect(await channel.probe(signal)).toBe("Health check failed with status code: 503");
  const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const silent = setUp(() => Promise.reject(new HttpClientError("connect", "no connection", cause)));
  expect(await silent.channel.probe(signal)).toBe(
    'Network error: Get "http://127.0.0.1:3000/healthz": dial tcp 127.0.0.1:3000: connect: connection refused',
  );
});

test("no answer is an AppUnreachableError in Go's words", async () => {
  const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const { channel } = setUp(() => Promise.reject(new HttpClientError("connect", "no connection", cause)));
  await expect(channel.invoke(call())).rejects.toThrow(
    new AppUnreachableError(
      'Post "http://127.0.0.1:3000/a/b?x=1": dial tcp 127.0.0.1:3000: connect: connection refused',
      { aborted: false },
    ),
  );
});

test("the concurrency slot is held until a streamed answer is over", async () => {
  const { channel } = setUp(() => ({ ...ok, body: streamed("a", "b") }), { maxConcurrency: 1 });
  const first = await channel.invoke(call());
  let second = false;
  const waiting = channel.invoke(call()).then(() => (second = true));
  const reader = (first.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  await reader.next();
  expect(second).toBe(false);
  await reader.return?.();
  await waiting;
  expect(second).toBe(true);
});

test("a slot comes back after a failure", async () => {
  let calls = 0;
  const { channel } = setUp(() => (++calls === 1 ? Promise.reject(new Error("broken")) : ok), { maxConcurrency: 1 });
  await expect(channel.invoke(call())).rejects.toThrow("broken");
  await channel.invoke(call());
});

test("events are posted as CloudEvents with their metadata as headers", async () => {
  const { channel, requests } = setUp(() => ok, { appToken: "secret" });
  expect(await channel.deliver(event, signal)).toEqual({ kind: "success" });
  expect(requests[0]).toMatchObject({
    method: "POST",
    target: "/orders?kind=1",
    headers: ["custom", "2", "content-type", "application/cloudevents+json", "dapr-api-token", "secret"],
  });
});

test("an event that no answer came for is to be delivered again", async () => {
  const { channel } = setUp(() => Promise.reject(new Error("EOF")));
  expect(await channel.deliver(event, signal)).toEqual({
    kind: "retry",
    reason:
      'error returned from app channel while sending pub/sub event to app: Post "http://127.0.0.1:3000/orders?kind=1": EOF',
  });
});

async function subscriptionsWith(channel: AppChannel): Promise<unknown> {
  const listing = channel.listSubscriptions(signal);
  for (let turn = 0; turn < 40; turn += 1) {
    await Promise.resolve();
    clock.advance(100);
  }
  return await listing;
}

test("subscriptions are asked for under our id; 404 means none", async () => {
  const { channel, requests } = setUp(() => ({
    ...ok,
    body: Buffer.from(`[{"pubsubname":"p","topic":"t","route":"/r"},{"pubsubname":"p","topic":"u"}]`),
  }));
  expect(await channel.listSubscriptions(signal)).toMatchObject([
    { pubsubName: "p", topic: "t", rules: [{ match: "", path: "/r" }] },
  ]);
  expect(requests[0]).toMatchObject({
    method: "GET",
    target: "/dapr/subscribe",
    headers: ["content-type", "application/json", "dapr-app-id", "me"],
  });
  expect(await setUp(() => ({ ...ok, status: 404 })).channel.listSubscriptions(signal)).toEqual([]);
});

test("subscriptions are asked for four times before it is given up", async () => {
  let calls = 0;
  const late = setUp(() => (++calls < 4 ? Promise.reject(new Error("not yet")) : { ...ok, body: Buffer.from("[]") }), {
    initRetries: await initRetries(),
  });
  expect(await subscriptionsWith(late.channel)).toEqual([]);
  expect(calls).toBe(4);
  calls = -10;
  await expect(subscriptionsWith(late.channel)).rejects.toThrow("not yet");
  expect(calls).toBe(-6);
});

test("a bulk goes out as one JSON body, and an app that cannot be reached is asked for all of it again", async () => {
  const entries = ["a", "b"].map((entryId) => ({ entryId, event, contentType: "", metadata: {} }));
  const bulk = { id: "1", pubsubName: "p", topic: "t", path: "/bulk", entries };
  const statuses = [{ entryId: "b", status: "SUCCESS" }];
  const { channel, requests } = setUp(() => ({ ...ok, body: Buffer.from(JSON.stringify({ statuses })) }));
  expect((await channel.deliverBulk(bulk, signal)).map(({ kind }) => kind)).toEqual(["retry", "success"]);
  expect(requests[0]).toMatchObject({ method: "POST", target: "/bulk" });
  expect(requests[0]?.headers).toEqual(expect.arrayContaining(["pubsubname", "p", "content-type", "application/json"]));
  const broken = setUp(() => Promise.reject(new HttpClientError("protocol", "reset")));
  const outcomes = await broken.channel.deliverBulk(bulk, signal);
  expect(outcomes).toMatchObject([{ kind: "retry" }, { kind: "retry" }]);
  expect(JSON.stringify(outcomes[0])).toContain("error from app channel while sending pub/sub event to app: ");
});

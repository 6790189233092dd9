import { expect, test } from "vitest";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { createGrpcClient } from "../net/grpc/client.ts";
import { GrpcServer, rawMethod } from "../net/grpc/server.ts";
import { MemoryTransport } from "../net/h2/memory.ts";
import { AppPassage, type AppPassageOptions } from "./app-passage.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";

const UNARY = rawMethod("/shop.Orders/Place", "unary");
const CHAT = rawMethod("/shop.Orders/Chat", "bidi_streaming");
const EMPTY = Buffer.alloc(0);

/** A caller, a sidecar that passes everything on to its app, and the app. */
function setUp(more: Partial<AppPassageOptions> = {}, isStream = false) {
  const transport = new MemoryTransport();
  const app = new GrpcServer();
  const sidecar = new GrpcServer();
  transport.bind("app", app.accept);
  transport.bind("sidecar", sidecar.accept);
  let connections = 0;
  const passage = new AppPassage({
    connect: () => {
      connections += 1;
      return Promise.resolve(createGrpcClient(transport, "app"));
    },
    appToken: "",
    limit: undefined,
    ...more,
  });
  sidecar.passUnknown((call) => passage.passOn(call, ["content-type", "application/grpc"], isStream, {}));
  return { app, client: createGrpcClient(transport, "sidecar"), passage, connections: () => connections };
}

test("connects once, with the first calls, and gives each the app's token", async () => {
  const { app, client, connections, passage } = setUp({ appToken: "secret" });
  const tokens: unknown[] = [];
  app.add(UNARY, (request, call) => {
    tokens.push(call.metadata.getAll("dapr-api-token"));
    return request;
  });
  expect(connections()).toBe(0);
  await Promise.all([client.unary(UNARY, EMPTY), client.unary(UNARY, EMPTY)]);
  await client.unary(UNARY, EMPTY);
  expect(connections()).toBe(1);
  expect(tokens).toEqual([["secret"], ["secret"], ["secret"]]);
  await passage.close();
});

test("an unhealthy app is not called", async () => {
  let healthy = false;
  const { app, client } = setUp({ isHealthy: () => healthy });
  app.add(UNARY, (request) => request);
  await expect(client.unary(UNARY, EMPTY)).rejects.toMatchObject({
    code: GRPC_STATUS.INTERNAL,
    message: "app is not in a healthy state",
  });
  healthy = true;
  await client.unary(UNARY, EMPTY);
});

test("calls share the app's limit until they are over", async () => {
  const limit = new ConcurrencyLimit(1);
  const { app, client } = setUp({ limit });
  const held: (() => void)[] = [];
  app.add(UNARY, () => new Promise<Uint8Array>((resolve) => held.push(() => resolve(EMPTY))));
  const first = client.unary(UNARY, EMPTY);
  const second = client.unary(UNARY, EMPTY);
  await turns();
  expect(held).toHaveLength(1);
  held[0]?.();
  await first;
  await turns();
  expect(held).toHaveLength(2);
  held[1]?.();
  await second;
  expect(limit.acquire(undefined)).toBeUndefined();
});

test("a call that is cancelled while it waits gives its place up", async () => {
  const limit = new ConcurrencyLimit(1);
  const { client } = setUp({ limit });
  expect(limit.acquire(undefined)).toBeUndefined();
  const abort = new AbortController();
  const waiting = client.unary(UNARY, EMPTY, { signal: abort.signal });
  await turns();
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: GRPC_STATUS.CANCELLED });
  await turns();
  limit.release();
  expect(limit.acquire(undefined)).toBeUndefined();
});

test.each(["requests", "answers"])("a stream of %s frees its place with its second message", async (which) => {
  const limit = new ConcurrencyLimit(1);
  const { app, client } = setUp({ limit });
  const end = Promise.withResolvers<void>();
  app.add(CHAT, async function* (requests) {
    for await (const one of requests) {
      yield one;
      if (which === "answers") yield one;
    }
    await end.promise;
  });
  const chat = client.stream(CHAT);
  const answers = chat.responses[Symbol.asyncIterator]();
  await chat.send(Buffer.from("a"));
  await answers.next();
  if (which === "requests") await chat.send(Buffer.from("b"));
  await answers.next();
  expect(limit.acquire(undefined)).toBeUndefined();
  limit.release();
  chat.closeSend();
  end.resolve();
  expect((await answers.next()).done).toBe(true);
  await turns();
  expect(limit.acquire(undefined)).toBeUndefined();
});

test("a call that says it streams takes no place", async () => {
  const limit = new ConcurrencyLimit(1);
  const { app, client } = setUp({ limit }, true);
  app.add(UNARY, (request) => request);
  expect(limit.acquire(undefined)).toBeUndefined();
  await client.unary(UNARY, EMPTY);
});

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

import { describe, expect, test } from "vitest";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { MemoryTransport } from "../h2/memory.ts";
import { createGrpcClient } from "./client.ts";
import { type HeaderMetadata, metadataOf } from "./metadata.ts";
import { PeerUnreachedError } from "./relay-leg.ts";
import { GrpcServer, type GrpcServerOptions, rawMethod } from "./server.ts";
import { GrpcError } from "./status.ts";
import type { GrpcClient, Metadata, PassingCall, RelayHandler } from "./types.ts";

const UNARY = rawMethod("/shop.Orders/Place", "unary");
const COLLECT = rawMethod("/shop.Orders/Collect", "client_streaming");
const REPEAT = rawMethod("/shop.Orders/Repeat", "server_streaming");
const CHAT = rawMethod("/shop.Orders/Chat", "bidi_streaming");
const text = (value: string): Buffer => Buffer.from(value);
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

async function textsOf(messages: AsyncIterable<Uint8Array>): Promise<string[]> {
  const texts: string[] = [];
  for await (const one of messages) texts.push(textOf(one));
  return texts;
}

/** A caller, a server that knows no methods and passes everything on, and the server where it goes. */
function chain(options: { middle?: GrpcServerOptions; handler?: (far: GrpcClient) => RelayHandler } = {}) {
  const transport = new MemoryTransport();
  const middle = new GrpcServer(options.middle);
  const backend = new GrpcServer();
  transport.bind("middle", middle.accept);
  transport.bind("backend", backend.accept);
  const far = createGrpcClient(transport, "backend", { userAgent: "middle" });
  const passAll: RelayHandler = (call) => call.passOn(far, headersOf(call));
  middle.passUnknown(options.handler?.(far) ?? passAll);
  return { backend, middle, far, transport, client: createGrpcClient(transport, "middle") };
}

function headersOf(call: PassingCall): string[] {
  const headers: string[] = [];
  for (let index = 0; index + 1 < call.headers.length; index += 2) {
    const name = call.headers[index] as string;
    if (name === "te" || name === "user-agent" || name === "grpc-timeout") continue;
    headers.push(name, call.headers[index + 1] as string);
  }
  return headers;
}

describe("a call that is passed on", () => {
  test("keeps its metadata, headers, message and trailers, and gets the deadline that is left", async () => {
    const { backend, client } = chain();
    let seen: Metadata | undefined;
    let timeoutMs: number | undefined;
    backend.add(UNARY, (request, call) => {
      seen = call.metadata;
      ({ timeoutMs } = call);
      call.responseHeaders.set("x-head", "1");
      call.responseTrailers.set("x-trail-bin", new Uint8Array([0, 255]));
      return Buffer.concat([text("got "), request]);
    });
    const metadata = metadataOf({ "x-one": "1", "x-bin": new Uint8Array([7]) });
    const { response, headers, trailers } = await client.unary(UNARY, text("it"), { metadata, timeoutMs: 5_000 });
    expect(textOf(response)).toBe("got it");
    expect(headers.get("x-head")).toBe("1");
    expect(trailers.getBinary("x-trail-bin")).toEqual(new Uint8Array([0, 255]));
    expect(seen?.get("x-one")).toBe("1");
    expect(seen?.getBinary("x-bin")).toEqual(new Uint8Array([7]));
    expect(seen?.get("user-agent")).toBe("middle");
    expect(timeoutMs).toBeGreaterThan(3_000);
    expect(timeoutMs).toBeLessThanOrEqual(5_000);
  });

  test("may stream either way and both ways", async () => {
    const { backend, client } = chain();
    backend.add(COLLECT, async (requests) => text((await textsOf(requests)).join("+")));
    backend.add(REPEAT, async function* (request) {
      for (let index = 0; index < 3; index += 1) yield request;
    });
    backend.add(CHAT, async function* (requests) {
      for await (const request of requests) yield Buffer.concat([text("re: "), request]);
    });
    const collect = client.stream(COLLECT);
    for (const word of ["a", "b", "c"]) await collect.send(text(word));
    collect.closeSend();
    expect(await textsOf(collect.responses)).toEqual(["a+b+c"]);
    const repeat = client.stream(REPEAT);
    await repeat.send(text("x"), true);
    expect(await textsOf(repeat.responses)).toEqual(["x", "x", "x"]);
    const chat = client.stream(CHAT);
    const answers = chat.responses[Symbol.asyncIterator]();
    for (const word of ["one", "two"]) {
      await chat.send(text(word));
      expect(textOf((await answers.next()).value as Uint8Array)).toBe(`re: ${word}`);
    }
    chat.closeSend();
    expect((await answers.next()).done).toBe(true);
  });

  test("shows its headers before the first message", async () => {
    const { backend, client } = chain();
    const ready = Promise.withResolvers<void>();
    backend.add(CHAT, async function* (_requests, call) {
      call.responseHeaders.set("x-early", "yes");
      call.sendHeaders();
      await ready.promise;
      yield text("late");
    });
    const chat = client.stream(CHAT);
    expect((await chat.headers).get("x-early")).toBe("yes");
    ready.resolve();
    expect(await textsOf(chat.responses)).toEqual(["late"]);
  });

  test.each(["alone", "after a message"])(
    "ends with the peer's status, text, details and trailers, %s",
    async (when) => {
      const { backend, client } = chain();
      backend.add(CHAT, async function* (_requests, call) {
        if (when === "after a message") yield text("one");
        call.responseTrailers.set("x-trail", "t");
        throw new GrpcError(GRPC_STATUS.ABORTED, "nö 100 %", { detailsBin: new Uint8Array([1, 2, 3]) });
      });
      const chat = client.stream(CHAT);
      chat.closeSend();
      const failure = await textsOf(chat.responses).catch((error: unknown) => error as GrpcError);
      expect(failure).toMatchObject({ code: GRPC_STATUS.ABORTED, message: "nö 100 %" });
      expect((failure as GrpcError).detailsBin).toEqual(new Uint8Array([1, 2, 3]));
      expect((await chat.trailers).get("x-trail")).toBe("t");
    },
  );

  test("is cancelled at the peer when its caller gives up, and when its time is over", async () => {
    const { backend, client } = chain();
    const reasons: Promise<string>[] = [];
    let arrived = Promise.withResolvers<void>();
    backend.add(UNARY, (_request, { cancellation }) => {
      arrived.resolve();
      const cancelled = new Promise<string>((resolve) =>
        cancellation.addEventListener("abort", () => resolve(cancellation.reason.message)),
      );
      reasons.push(cancelled);
      return new Promise<Uint8Array>(() => undefined);
    });
    const abort = new AbortController();
    const call = client.unary(UNARY, text(""), { signal: abort.signal });
    await arrived.promise;
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: GRPC_STATUS.CANCELLED });
    arrived = Promise.withResolvers();
    await expect(client.unary(UNARY, text(""), { timeoutMs: 300 })).rejects.toMatchObject({
      code: GRPC_STATUS.DEADLINE_EXCEEDED,
    });
    expect(await Promise.all(reasons)).toHaveLength(2);
  });

  test("compressed messages pass as they are", async () => {
    const { backend, client } = chain();
    const sizes: number[] = [];
    backend.add(UNARY, (request) => {
      sizes.push(request.length);
      return request;
    });
    const request = Buffer.alloc(8_000, "a");
    const { response, headers } = await client.unary(UNARY, request, { compression: "gzip" });
    expect(Buffer.compare(response, request)).toBe(0);
    expect(sizes).toEqual([8_000]);
    expect((headers as HeaderMetadata).raw).toContain("gzip");
  });

  test("messages over the limit end it in both directions, before they are whole", async () => {
    const { backend, client } = chain({ middle: { messageBytesMax: 100 } });
    backend.add(UNARY, (request) => (request.length === 1 ? Buffer.alloc(101) : request));
    const message = "grpc: received message larger than max (101 vs. 100)";
    await expect(client.unary(UNARY, Buffer.alloc(101))).rejects.toMatchObject({ code: 8, message });
    await expect(client.unary(UNARY, Buffer.alloc(1))).rejects.toMatchObject({ code: 8, message });
    expect((await client.unary(UNARY, Buffer.alloc(100))).response).toHaveLength(100);
  });

  test("a reader that lags holds the sender back", async () => {
    const { backend, client } = chain();
    let produced = 0;
    backend.add(REPEAT, async function* () {
      for (; produced < 1_000; produced += 1) yield Buffer.alloc(64 * 1024);
    });
    const repeat = client.stream(REPEAT);
    await repeat.send(text(""), true);
    await repeat.headers;
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(produced).toBeLessThan(200);
    expect(await textsOf(repeat.responses)).toHaveLength(1_000);
  });

  test("a peer that lags holds the caller back", async () => {
    const { backend, client } = chain();
    const begin = Promise.withResolvers<void>();
    backend.add(COLLECT, async (requests) => {
      await begin.promise;
      return text(String((await textsOf(requests)).length));
    });
    const collect = client.stream(COLLECT);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 500; sent += 1) await collect.send(Buffer.alloc(64 * 1024));
      collect.closeSend();
    })();
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBeLessThan(200);
    begin.resolve();
    await sending;
    expect(await textsOf(collect.responses)).toEqual(["500"]);
  });

  test("waits, with its request, for whoever finds out where it goes", async () => {
    const found = Promise.withResolvers<void>();
    const { backend, client } = chain({
      handler: (far) => async (call) => {
        await found.promise;
        await call.passOn(far, headersOf(call));
      },
    });
    backend.add(COLLECT, async (requests) => text(String((await textsOf(requests)).join("").length)));
    const collect = client.stream(COLLECT);
    for (let index = 0; index < 10; index += 1) void collect.send(Buffer.alloc(10_000, "a"));
    collect.closeSend();
    found.resolve();
    expect(await textsOf(collect.responses)).toEqual(["100000"]);
  });

  test("what its handler throws is its status, and interceptors see that and the peer's", async () => {
    const statuses: number[] = [];
    const { backend, client } = chain({
      middle: { interceptors: [{ end: (_call, { code }) => statuses.push(code) }] },
      handler: (far) => (call) => {
        if (call.path === UNARY.path) throw new GrpcError(GRPC_STATUS.NOT_FOUND, "nobody");
        return call.passOn(far, headersOf(call));
      },
    });
    backend.add(COLLECT, () => Promise.reject(new GrpcError(GRPC_STATUS.DATA_LOSS, "lost")));
    await expect(client.unary(UNARY, text(""))).rejects.toMatchObject({ code: 5, message: "nobody" });
    const collect = client.stream(COLLECT);
    await expect(textsOf(collect.responses)).rejects.toMatchObject({ code: 15 });
    expect(statuses).toEqual([5, 15]);
  });

  test("tells when a second message begins, in either direction", async () => {
    const told: string[] = [];
    const { backend, client } = chain({
      handler: (far) => (call) => {
        call.onRequestStreams = () => told.push("request");
        call.onAnswerStreams = () => told.push("answer");
        return call.passOn(far, headersOf(call));
      },
    });
    backend.add(UNARY, (request) => request);
    backend.add(CHAT, async function* (requests) {
      yield* requests;
    });
    await client.unary(UNARY, text("x"));
    expect(told).toEqual([]);
    const chat = client.stream(CHAT);
    for (const word of ["a", "b", "c"]) await chat.send(text(word));
    chat.closeSend();
    expect(await textsOf(chat.responses)).toHaveLength(3);
    expect(told).toEqual(["request", "answer"]);
  });
});

describe("a call that may be tried again", () => {
  test("is passed on whole each time until it succeeds, and its caller sees the last attempt alone", async () => {
    const { backend, client } = chain({
      handler: (far) => async (call) => {
        for (let attempt = 1; attempt < 3; attempt += 1) {
          try {
            return await call.passOn(far, headersOf(call), { repeatable: true });
          } catch (error) {
            expect(error).toMatchObject({ code: GRPC_STATUS.UNAVAILABLE });
          }
        }
        return await call.passOn(far, headersOf(call), { repeatable: true });
      },
    });
    const requests: string[] = [];
    backend.add(UNARY, (request, call) => {
      requests.push(textOf(request));
      call.responseHeaders.set("x-attempt", String(requests.length));
      if (requests.length < 3) throw new GrpcError(GRPC_STATUS.UNAVAILABLE, "later");
      return text("done");
    });
    const { response, headers } = await client.unary(UNARY, text("order"));
    expect(textOf(response)).toBe("done");
    expect(headers.getAll("x-attempt")).toEqual(["3"]);
    expect(requests).toEqual(["order", "order", "order"]);
  });

  test("is not once its answer has begun", async () => {
    let attempts = 0;
    const { backend, client } = chain({
      handler: (far) => (call) => {
        attempts += 1;
        return call.passOn(far, headersOf(call), { repeatable: true });
      },
    });
    backend.add(CHAT, async function* () {
      yield text("one");
      throw new GrpcError(GRPC_STATUS.UNAVAILABLE, "gone");
    });
    const chat = client.stream(CHAT);
    const answers = chat.responses[Symbol.asyncIterator]();
    expect(textOf((await answers.next()).value as Uint8Array)).toBe("one");
    await expect(answers.next()).rejects.toMatchObject({ code: GRPC_STATUS.UNAVAILABLE, message: "gone" });
    expect(attempts).toBe(1);
  });

  test("hears that nobody could be reached, in any case", async () => {
    const failures: unknown[] = [];
    const { client, transport } = chain({
      handler: () => async (call) => {
        const nobody = createGrpcClient(transport, "nobody");
        await call.passOn(nobody, headersOf(call)).catch((error: unknown) => {
          failures.push(error);
          throw error;
        });
      },
    });
    await expect(client.unary(UNARY, text(""))).rejects.toMatchObject({ code: GRPC_STATUS.UNAVAILABLE });
    expect(failures[0]).toBeInstanceOf(PeerUnreachedError);
  });

  test("ends an attempt with its signal and keeps the call", async () => {
    const { backend, client } = chain({
      handler: (far) => async (call) => {
        const timeout = new AbortController();
        const first = call.passOn(far, headersOf(call), { repeatable: true, signal: timeout.signal });
        timeout.abort(new Error("too slow"));
        await expect(first).rejects.toThrow("too slow");
        await call.passOn(far, headersOf(call));
      },
    });
    backend.add(UNARY, (request) => request);
    expect(textOf((await client.unary(UNARY, text("again"))).response)).toBe("again");
  });
});

test("methods that a service was declared with and nobody serves are not passed on", async () => {
  const { middle, client } = chain();
  middle.addService({ place: UNARY, collect: COLLECT }, { collect: () => Promise.resolve(text("")) });
  await expect(client.unary(UNARY, text(""))).rejects.toMatchObject({
    code: GRPC_STATUS.UNIMPLEMENTED,
    message: "unknown method Place for service shop.Orders",
  });
});

import { afterEach, expect, test } from "vitest";
import { bodyPrefix, collectBody } from "../app/body.ts";
import { headerValue } from "../app/header-rules.ts";
import { callLocal } from "./service-invocation.ts";
import { appOf, callOf, resolverOf, startPeer, type TestPeer } from "./mesh.fixture.ts";

const peers: TestPeer[] = [];

afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

async function pair(app: Parameters<typeof appOf>[0], register?: Parameters<typeof startPeer>[3]): Promise<TestPeer> {
  const callee = await startPeer(
    "callee",
    appOf(app),
    resolverOf(() => ""),
    register,
  );
  const caller = await startPeer(
    "caller",
    undefined,
    resolverOf(() => callee.address),
  );
  peers.push(callee, caller);
  return caller;
}

async function textOf(body: Parameters<typeof collectBody>[0]): Promise<string> {
  return Buffer.from(await collectBody(body, 0)).toString();
}

test("a small call arrives with the caller's identity, and the app's answer comes back", async () => {
  const caller = await pair((exchange) => {
    void exchange.readBody(0).then((body) => {
      exchange.respond(
        201,
        [
          "x-saw",
          exchange.headers.join("|"),
          "x-target",
          `${exchange.method} ${exchange.target}`,
          "content-type",
          "text/plain",
        ],
        body,
      );
    });
  });
  const reply = await caller.invocation.invoke(
    "callee",
    callOf({
      body: Buffer.from("hello"),
      query: "a=b",
      headers: ["Content-Length", "5", "X-Mine", "1", "Connection", "x-hop", "X-Hop", "2"],
    }),
  );
  expect(reply.status).toEqual({ kind: "http", code: 201 });
  expect(await textOf(reply.body)).toBe("hello");
  expect(reply.contentType).toBe("text/plain");
  expect(headerValue(reply.headers, "x-target")).toBe("POST /echo?a=b");
  const saw = headerValue(reply.headers, "x-saw")?.split("|") ?? [];
  for (const [name, value] of [
    ["x-mine", "1"],
    ["dapr-caller-app-id", "caller"],
    ["dapr-callee-app-id", "callee"],
    ["dapr-caller-namespace", "default"],
    ["x-forwarded-for", "127.0.0.1"],
    ["x-forwarded-host", "box"],
    ["forwarded", "for=127.0.0.1;by=127.0.0.1;host=box"],
    ["content-type", "application/json"],
  ] as const) {
    expect(headerValue(saw, name), name).toBe(value);
  }
  for (const name of ["x-hop", "connection", "destination-app-id"]) {
    expect(headerValue(saw, name), name).toBeUndefined();
  }
});

test("20 MB stream both ways in bounded memory, and a slow reader holds the sender back", async () => {
  const caller = await pair((exchange) => {
    const writer = exchange.startResponse(200, []);
    void (async () => {
      for await (const chunk of exchange.streamBody(0)) {
        await writer.write(chunk);
      }
      writer.end();
    })();
  });
  const chunk = Buffer.alloc(256 * 1024, "z");
  const chunks = 80;
  let produced = 0;
  let consumed = 0;
  let aheadMax = 0;
  async function* upload(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < chunks; index += 1) {
      produced += chunk.byteLength;
      yield chunk;
    }
  }
  const reply = await caller.invocation.invoke("callee", callOf({ body: upload() }));
  expect(reply.body).not.toBeInstanceOf(Uint8Array);
  for await (const piece of reply.body as AsyncIterable<Uint8Array>) {
    consumed += piece.byteLength;
    aheadMax = Math.max(aheadMax, produced - consumed);
    if (consumed % (1024 * 1024) < 16 * 1024) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  expect(consumed).toBe(chunk.byteLength * chunks);
  expect(aheadMax).toBeLessThan(6 * 1024 * 1024);
});

test("the first piece of an answer is there before the app has made the second", async () => {
  let finish: (() => void) | undefined;
  const caller = await pair((exchange) => {
    const writer = exchange.startResponse(200, ["content-type", "text/event-stream"]);
    void writer.write(Buffer.from("data: 1\n\n"));
    finish = () => {
      void writer.write(Buffer.from("data: 2\n\n"));
      writer.end();
    };
  });
  const reply = await caller.invocation.invoke(
    "callee",
    callOf({ verb: "GET", headers: ["Accept", "text/event-stream"] }),
  );
  const pieces = (reply.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  expect(Buffer.from((await pieces.next()).value as Uint8Array).toString()).toBe("data: 1\n\n");
  finish?.();
  expect(Buffer.from((await pieces.next()).value as Uint8Array).toString()).toBe("data: 2\n\n");
  expect((await pieces.next()).done).toBe(true);
});

test("events that the app refuses become an error, as with daprd", async () => {
  const caller = await pair((exchange) => exchange.respond(404, [], "no"));
  await expect(
    caller.invocation.invoke("callee", callOf({ verb: "GET", headers: ["accept", "text/event-stream"] })),
  ).rejects.toThrow(
    "failed to invoke, id: callee, err: rpc error: code = Internal desc = error invoking app channel: no response received from stream",
  );
});

test("a peer without streaming is called unary, but not with a stream", async () => {
  const caller = await pair(
    (exchange) => exchange.respond(200, ["content-type", "text/plain"], "unary"),
    (server, invocation) =>
      server.add(callLocal, async (request) => {
        const reply = await invocation.invokeLocal(callOf({ ...request, body: request.data ?? new Uint8Array(0) }));
        return {
          status: { code: reply.status.code, message: "", detailsBin: undefined },
          headers: reply.headers,
          trailers: [],
          contentType: reply.contentType,
          typeUrl: "",
          data: await bodyPrefix(reply.body, 100),
          hasMessage: true,
        };
      }),
  );
  expect(await textOf((await caller.invocation.invoke("callee", callOf({ body: Buffer.from("x") }))).body)).toBe(
    "unary",
  );
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x");
  }
  await expect(caller.invocation.invoke("callee", callOf({ body: body() }))).rejects.toThrow(
    "failed to invoke, id: callee, err: target app 'callee' is running a version of Dapr that does not support streaming-based service invocation",
  );
});

test("a peer that nobody serves fails at once for a stream, naming why", async () => {
  const caller = await startPeer(
    "caller",
    undefined,
    resolverOf(() => "127.0.0.1:1"),
  );
  peers.push(caller);
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x");
  }
  await expect(caller.invocation.invoke("callee", callOf({ body: body() }))).rejects.toThrow(
    'failed to invoke, id: callee, err: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: ',
  );
});

test("a body that breaks off cancels the call with its own error", async () => {
  const caller = await pair((exchange) => {
    void exchange.readBody(0).then(
      () => exchange.respond(200, []),
      () => undefined,
    );
  });
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x");
    throw new Error("the client went away");
  }
  await expect(caller.invocation.invoke("callee", callOf({ body: body() }))).rejects.toThrow(
    "failed to invoke, id: callee, err: the client went away",
  );
});

test("an app that is not there is the callee's error", async () => {
  const callee = await startPeer(
    "callee",
    undefined,
    resolverOf(() => ""),
  );
  const caller = await startPeer(
    "caller",
    undefined,
    resolverOf(() => callee.address),
  );
  peers.push(callee, caller);
  await expect(caller.invocation.invoke("callee", callOf({}))).rejects.toThrow(
    "failed to invoke, id: callee, err: rpc error: code = Internal desc = app channel is not initialized",
  );
});

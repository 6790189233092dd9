import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { BodyWatch } from "./body-watch.ts";
import { PeerGoneError } from "./errors.ts";
import { H1RequestBody } from "./h1-body.ts";
import { listen, type Listener, type ListenerOptions } from "./listener.ts";
import type { HttpExchange, HttpHandler } from "./types.ts";

const open: Listener[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  failures.length = 0;
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const one of open.splice(0)) await one.close(0);
});

async function serve(options: ListenerOptions): Promise<Listener> {
  const listener = await listen({ port: 0 }, options);
  open.push(listener);
  return listener;
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

const HEAD = "POST / HTTP/1.1\r\nhost: x\r\n";
const failures: string[] = [];

/** What a handler came to, failures apart. */
function handling(handle: (exchange: HttpExchange) => Promise<void>): HttpHandler {
  return (exchange) => {
    handle(exchange).catch((error: unknown) => failures.push((error as Error).name));
  };
}

const readWhole = handling(async (exchange) => {
  const body = await exchange.readBody(100);
  exchange.respond(200, [], String(body.length));
});

test.each([
  ["with a length", `${HEAD}content-length: 10\r\n\r\nhalf`],
  ["with a length, and nothing of it", `${HEAD}content-length: 10\r\n\r\n`],
  ["in chunks", `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nhalf`],
])("a body %s that does not go on ends its connection", async (_how, bytes) => {
  const { port } = await serve({ http: readWhole, bodySilenceMs: 40 });
  const socket = await connected(port);
  socket.write(bytes);
  await once(socket, "close");
  await expect.poll(() => failures, { timeout: 8_000 }).toEqual(["PeerGoneError"]);
});

test("a streamed body that does not go on ends its connection", async () => {
  const taken: string[] = [];
  const http = handling(async (exchange) => {
    for await (const chunk of exchange.streamBody(100)) taken.push(Buffer.from(chunk).toString());
  });
  const { port } = await serve({ http, bodySilenceMs: 40 });
  const socket = await connected(port);
  socket.write(`${HEAD}content-length: 10\r\n\r\nhalf`);
  await once(socket, "close");
  expect(taken).toEqual(["half"]);
});

test("a body that comes slowly is read to its end", async () => {
  const { port } = await serve({ http: readWhole, bodySilenceMs: 4_000 });
  const socket = await connected(port);
  socket.write(`${HEAD}content-length: 4\r\n\r\n`);
  for (const byte of "slow") {
    await new Promise((resolve) => setTimeout(resolve, 5));
    socket.write(byte);
  }
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\n4$/);
});

test("a peer whose body is not wanted yet has nothing to answer for", () => {
  let looks = 0;
  const request = {
    complete: false,
    isPaused: () => true,
    once: () => request,
    socket: {
      get bytesRead() {
        looks += 1;
        return 7;
      },
      destroy: () => expect.unreachable(),
    },
  };
  const watch = new BodyWatch(4);
  watch.add(request as never);
  return new Promise<void>((resolve) => {
    const poll = setInterval(() => {
      if (looks < 20) return;
      clearInterval(poll);
      watch.close();
      resolve();
    }, 1);
  });
});

test("connections beyond the limit are closed, those within it are served, and there is room again afterwards", async () => {
  const { port } = await serve({ http: (exchange) => exchange.respond(204, []), connectionsMax: 2 });
  const [first, second] = [await connected(port), await connected(port)];
  const third = connect(port, "127.0.0.1").on("error", () => undefined);
  sockets.push(third);
  third.resume();
  await once(third, "close");
  for (const socket of [first, second]) {
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    expect(String(((await once(socket, "data")) as [Buffer])[0])).toMatch(/^HTTP\/1\.1 204 /);
  }
  first.destroy();
  for (;;) {
    const next = connect(port, "127.0.0.1").on("error", () => undefined);
    sockets.push(next);
    next.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const [answer] = (await Promise.race([once(next, "data"), once(next, "close")])) as [unknown];
    if (Buffer.isBuffer(answer)) break;
  }
});

test.each([
  ["whole", (exchange: HttpExchange) => exchange.readBody(100)],
  ["as a stream", (exchange: HttpExchange) => exchange.streamBody(100)[Symbol.asyncIterator]().next()],
])(
  "a body that had come before its caller went is not waited for when somebody wants it later: %s",
  async (_, read) => {
    const outcome = Promise.withResolvers<unknown>();
    const { port } = await serve({
      http: (exchange) =>
        exchange.onAbort(() =>
          setImmediate(() => {
            read(exchange).then(outcome.resolve, outcome.reject);
          }),
        ),
    });
    const socket = await connected(port);
    socket.write(`${HEAD}content-length: 5\r\n\r\nhello`, () => setImmediate(() => socket.destroy()));
    await expect(outcome.promise).rejects.toThrow(PeerGoneError);
  },
);

test("a body that nobody can read any more is not watched", async () => {
  const watched = new Set<IncomingMessage>();
  const request = new PassThrough().destroy() as unknown as IncomingMessage;
  await once(request, "close");
  const body = new H1RequestBody(request, 100, watched);
  body.start();
  await expect(body.queue.next()).rejects.toThrow(PeerGoneError);
  expect(watched.size).toBe(0);
});

import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Cancellation } from "../../kit/cancel-signal.ts";
import { createH2Transport } from "../h2/protocol/transport.ts";
import { createHttpClient, type HttpClientOptions } from "./client.ts";
import { acceptHttp } from "./h2-exchange.ts";
import { createH2HttpClient } from "./h2-client.ts";
import { headerValue } from "./headers.ts";
import { listen } from "./listener.ts";
import { SELF_SIGNED_CERT, SELF_SIGNED_KEY } from "./self-signed.fixture.ts";
import type { Body, HttpClient, HttpHandler, HttpRequest } from "./types.ts";

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const EMPTY = new Uint8Array(0);

function get(target: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return { method: "GET", target, headers: [], body: EMPTY, ...more };
}

async function bytesOf(body: Body): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* pieces(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i += 1) yield Buffer.alloc(size, "p");
}

async function opened(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function clientOf(listener: RequestListener, options?: HttpClientOptions): Promise<HttpClient> {
  const client = createHttpClient(`http://127.0.0.1:${await opened(createHttpServer(listener))}`, options);
  cleanups.push(() => client.close());
  return client;
}

/** The same behaviour over both protocols: a door of ours answers. */
const kinds: [string, (handler: HttpHandler) => Promise<HttpClient>][] = [
  [
    "HTTP/1.1",
    async (http) => {
      const listener = await listen({ port: 0 }, { http });
      const client = createHttpClient(`http://${listener.address}`);
      cleanups.push(
        () => listener.close(0),
        () => client.close(),
      );
      return client;
    },
  ],
  [
    "h2c",
    async (http) => {
      const listener = await listen({ port: 0 }, { h2: createH2Transport().createServer(acceptHttp(http)) });
      const client = createH2HttpClient(createH2Transport(), listener.address);
      cleanups.push(
        () => listener.close(0),
        () => client.close(),
      );
      return client;
    },
  ],
];

describe.each(kinds)("a client over %s", (_name, make) => {
  test("small answers are whole, large ones a stream", async () => {
    const client = await make((exchange) =>
      exchange.respond(
        200,
        ["x-method", exchange.method],
        Buffer.alloc(exchange.target === "/big" ? 100_000 : 1000, "b"),
      ),
    );
    const small = await client.request(get("/small"));
    expect(small.status).toBe(200);
    expect(headerValue(small.headers, "x-method")).toBe("GET");
    expect(small.body).toBeInstanceOf(Uint8Array);
    expect((await bytesOf(small.body)).length).toBe(1000);
    const big = await client.request(get("/big"));
    expect(big.body).not.toBeInstanceOf(Uint8Array);
    expect((await bytesOf(big.body)).length).toBe(100_000);
    const head = await client.request(get("/big", { method: "HEAD" }));
    expect(head.body).toHaveLength(0);
  });

  test("bodies are sent whole and as a stream, and echoed as a stream", async () => {
    const client = await make((exchange) => {
      const writer = exchange.startResponse(201, []);
      void (async () => {
        for await (const chunk of exchange.streamBody(0)) await writer.write(chunk);
        writer.end();
      })();
    });
    const whole = await client.request(get("/", { method: "POST", body: Buffer.from("whole") }));
    expect([whole.status, (await bytesOf(whole.body)).toString()]).toEqual([201, "whole"]);
    const streamed = await client.request(get("/", { method: "PUT", body: pieces(100, 10_000) }));
    expect((await bytesOf(streamed.body)).length).toBe(1_000_000);
  });

  test("answers without a body", async () => {
    const client = await make((exchange) => exchange.respond(204, []));
    expect(await client.request(get("/", { method: "DELETE" }))).toMatchObject({ status: 204, body: EMPTY });
  });

  test("timeout, abort before and during, and giving a body up", async () => {
    let aborts = 0;
    let asked = 0;
    const client = await make((exchange) => {
      asked += 1;
      exchange.onAbort(() => (aborts += 1));
      if (exchange.target === "/never") return;
      const writer = exchange.startResponse(200, []);
      void (async () => {
        for (;;) await writer.write(Buffer.alloc(10_000));
      })().catch(() => undefined);
    });
    // Long enough to reach the server first, which counts it.
    await expect(client.request(get("/never", { headTimeoutMs: 1_000 }))).rejects.toMatchObject({
      name: "HttpClientError",
      kind: "timeout",
    });
    await expect(client.request(get("/never", { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      kind: "aborted",
    });
    const controller = new AbortController();
    const waiting = client.request(get("/never", { signal: controller.signal }));
    waiting.catch(() => undefined);
    while (asked < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ kind: "aborted" });
    const later = new AbortController();
    const endless = await client.request(get("/endless", { signal: later.signal }));
    setTimeout(() => later.abort(), 20);
    await expect(bytesOf(endless.body)).rejects.toMatchObject({ kind: "aborted" });
    const given = await client.request(get("/endless"));
    for await (const chunk of given.body as AsyncIterable<Uint8Array>) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    while (aborts < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test("a slow reader holds the server", async () => {
    let written = 0;
    const client = await make((exchange) => {
      const writer = exchange.startResponse(200, []);
      void (async () => {
        for (let i = 0; i < 1000; i += 1) {
          await writer.write(Buffer.alloc(100_000));
          written += 100_000;
        }
        writer.end();
      })().catch(() => undefined);
    });
    const response = await client.request(get("/"));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(written).toBeLessThan(20_000_000);
    expect((await bytesOf(response.body)).length).toBe(100_000_000);
  });

  test("an answer that breaks off fails its reader", async () => {
    const client = await make((exchange) => {
      const writer = exchange.startResponse(200, []);
      void writer.write(Buffer.from("half"));
      setTimeout(() => writer.abort(), 10);
    });
    const response = await client.request(get("/"));
    await expect(bytesOf(response.body)).rejects.toMatchObject({ kind: "protocol" });
  });
});

test("a 100 that nobody asked for is passed over, and a 101 is an answer", async () => {
  const client = await clientOf((request, response) => {
    if (request.url === "/continue") response.writeContinue();
    response.writeHead(request.url === "/switch" ? 101 : 200).end();
  });
  const statuses: number[] = [];
  for (const path of ["/continue", "/switch", "/plain", "/continue"])
    statuses.push((await client.request(get(path))).status);
  expect(statuses).toEqual([200, 101, 200, 200]);
});

test("connection headers are left out, others pass with their case", async () => {
  let seen: string[] = [];
  const client = await clientOf((request, response) => {
    seen = request.rawHeaders;
    response.writeHead(200, ["X-Case", "Kept", "set-cookie", "a", "set-cookie", "b"]).end();
  });
  const headers = [
    "Host",
    "elsewhere",
    "Connection",
    "close",
    "Transfer-Encoding",
    "chunked",
    "keep-alive",
    "1",
    "X-One",
    "1",
    "x-two",
    "2",
  ];
  const response = await client.request(get("/", { headers }));
  expect(seen.join(" ")).toMatch(/elsewhere/);
  expect(seen).not.toContain("close");
  expect(seen).toEqual(expect.arrayContaining(["X-One", "1", "x-two", "2"]));
  expect(seen.filter((text) => /^(connection|keep-alive)$/i.test(text))).toEqual([]);
  expect(response.headers).toEqual(expect.arrayContaining(["X-Case", "Kept", "set-cookie", "a", "b"]));
});

test("a body that ends before its declared length is an error, unless the client takes it for whole", async () => {
  const broken: RequestListener = ({ url }, response) => {
    const length = url === "/large" ? 100_000 : 99;
    response.writeHead(200, { "content-length": length }).write("short", () => response.destroy());
  };
  const careful = await clientOf(broken);
  await expect(careful.request(get("/"))).rejects.toMatchObject({ kind: "protocol" });
  const lenient = await clientOf(broken, { acceptsShortBodies: true });
  expect((await bytesOf((await lenient.request(get("/"))).body)).toString()).toBe("short");
  await expect(lenient.request(get("/large")).then(({ body }) => bytesOf(body))).rejects.toMatchObject({
    kind: "protocol",
  });
});

test("no redirects, no decompression, keep-alive and a limit of connections", async () => {
  let active = 0;
  let most = 0;
  const ports = new Set<number | undefined>();
  const client = await clientOf(
    (request, response) => {
      ports.add(request.socket.remotePort);
      active += 1;
      most = Math.max(most, active);
      setTimeout(() => {
        active -= 1;
        response.writeHead(302, { location: "/other", "content-encoding": "gzip", "content-length": 3 }).end("raw");
      }, 5);
    },
    { connectionsMax: 3 },
  );
  const responses = await Promise.all(Array.from({ length: 12 }, () => client.request(get("/"))));
  expect(responses.map((one) => one.status)).toEqual(Array.from({ length: 12 }, () => 302));
  expect((await bytesOf((responses[0] as { body: Body }).body)).toString()).toBe("raw");
  expect(most).toBe(3);
  expect(ports.size).toBe(3);
});

test("failures say their kind and reason", async () => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const nobody = createHttpClient(`http://127.0.0.1:${port}`);
  const h2Nobody = createH2HttpClient(createH2Transport(), `127.0.0.1:${port}`);
  cleanups.push(
    () => nobody.close(),
    () => h2Nobody.close(),
  );
  for (const client of [nobody, h2Nobody]) {
    const error: unknown = await client.request(get("/")).catch((one: unknown) => one);
    expect(error).toMatchObject({ kind: "connect", code: "ECONNREFUSED" });
    expect((error as Error).message).toContain(`connect ECONNREFUSED 127.0.0.1:${port}`);
  }

  const rude = createServer((socket) => socket.end("SMTP 220\r\n"));
  await new Promise<void>((resolve) => rude.listen(0, "127.0.0.1", resolve));
  const rudeClient = createHttpClient(`http://127.0.0.1:${(rude.address() as AddressInfo).port}`);
  cleanups.push(
    () => rudeClient.close(),
    () => void rude.close(),
  );
  await expect(rudeClient.request(get("/"))).rejects.toMatchObject({ kind: "protocol" });
  await expect(rudeClient.request(get("/with space"))).rejects.toMatchObject({ kind: "protocol" });
});

describe("an aborted request that closes its half alone", () => {
  /** A server that answers a request when the client has closed its half; `answers` false: it closes then. */
  async function halfOpen(answers: boolean) {
    const arrived = Promise.withResolvers<void>();
    const connections: string[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      connections.push("opened");
      socket.on("data", (data: Buffer) => {
        if (data.toString().includes("/slow")) arrived.resolve();
        else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nquick");
      });
      socket.on("end", () => {
        connections.push("half closed");
        if (answers) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlate");
        else socket.end();
      });
      socket.on("close", () => connections.push("closed"));
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = createHttpClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    cleanups.push(
      () => client.close(),
      () => void server.close(),
    );
    return { client, arrived: arrived.promise, connections };
  }

  test("is answered by a server that answers all the same, and its connection is not used again", async () => {
    const { client, arrived, connections } = await halfOpen(true);
    const signal = new Cancellation();
    const response = client.request(get("/slow", { signal, halfCloses: true }));
    await arrived;
    signal.abort(new Error("nobody waits"));
    expect((await bytesOf((await response).body)).toString()).toBe("late");
    expect((await bytesOf((await client.request(get("/quick"))).body)).toString()).toBe("quick");
    expect(connections.filter((what) => what !== "closed")).toEqual(["opened", "half closed", "opened"]);
  });

  test("fails as one whose server has closed the connection where it does", async () => {
    const { client, arrived } = await halfOpen(false);
    const signal = new Cancellation();
    const response = client.request(get("/slow", { signal, halfCloses: true }));
    await arrived;
    signal.abort(new Error("nobody waits"));
    await expect(response).rejects.toMatchObject({ kind: "protocol", code: "UND_ERR_SOCKET" });
  });

  test("fails at once when it has not been sent", async () => {
    const { client, arrived } = await halfOpen(true);
    const signal = new Cancellation();
    const response = client.request(get("/slow", { signal, halfCloses: true }));
    signal.abort(new Error("nobody waits"));
    await expect(response).rejects.toMatchObject({ kind: "aborted" });
    void arrived;
  });
});

test("a unix socket, and a self-signed https app", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "client-")), "app.sock");
  const listener = await listen({ path }, { http: (exchange) => exchange.respond(200, [], "unix") });
  const client = createHttpClient("http://localhost", { socketPath: path });
  cleanups.push(
    () => listener.close(0),
    () => client.close(),
  );
  expect((await bytesOf((await client.request(get("/"))).body)).toString()).toBe("unix");

  const https = createHttps({ key: SELF_SIGNED_KEY, cert: SELF_SIGNED_CERT }, (_request, response) =>
    response.end("secret"),
  );
  const port = await opened(https);
  const trusting = createHttpClient(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  const careful = createHttpClient(`https://127.0.0.1:${port}`);
  cleanups.push(
    () => trusting.close(),
    () => careful.close(),
  );
  expect((await bytesOf((await trusting.request(get("/"))).body)).toString()).toBe("secret");
  await expect(careful.request(get("/"))).rejects.toMatchObject({ kind: "connect" });
});

import { connect as connectHttp2, constants } from "node:http2";
import { Agent, request as nodeRequest } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { mkdtempSync } from "node:fs";
import { createServer as createTlsServer } from "node:tls";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createH2Transport } from "../h2/protocol/transport.ts";
import { BodyTooLargeError, ListenError } from "./errors.ts";
import { acceptHttp } from "./h2-exchange.ts";
import { type ListenAddress, listen, type Listener, type ListenerOptions } from "./listener.ts";
import type { HttpExchange, HttpHandler } from "./types.ts";

const open: { close(graceMs: number): Promise<void> }[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const one of open.splice(0)) await one.close(0);
});

async function serve(
  http: HttpHandler,
  options: Partial<ListenerOptions> = {},
  address: ListenAddress = { port: 0 },
): Promise<Listener> {
  const listener = await listen(address, { http, h2: createH2Transport().createServer(acceptHttp(http)), ...options });
  open.push(listener);
  return listener;
}

/** Sends raw bytes and gathers what comes until the pattern is there or the socket ends. */
class RawClient {
  readonly socket: Socket;
  received = "";
  closed = false;
  private wake: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    sockets.push(this.socket);
    this.socket.on("data", (chunk) => {
      this.received += chunk.toString("latin1");
      this.wake();
    });
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.closed = true;
      this.wake();
    });
  }

  async until(what: (text: string) => boolean): Promise<string> {
    while (!what(this.received) && !this.closed) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.received;
  }

  async end(): Promise<string> {
    while (!this.closed) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.received;
  }
}

const hello: HttpHandler = (exchange) =>
  exchange.respond(200, ["content-type", "text/plain"], `${exchange.method} ${exchange.target}`);

async function answerBody(exchange: HttpExchange, bytesMax: number): Promise<void> {
  try {
    const body = await exchange.readBody(bytesMax);
    exchange.respond(200, [], `${body.length}`);
  } catch (error) {
    if (error instanceof BodyTooLargeError) exchange.respond(413, [], `limit ${error.limitBytes}`);
  }
}

describe("HTTP/1.1", () => {
  test("keeps a connection for several requests, pipelined and cut at any byte", async () => {
    const { port } = await serve(hello);
    const client = new RawClient(port);
    const bytes = "GET /a HTTP/1.1\r\nhost: x\r\n\r\nGET /b?c=%20 HTTP/1.1\r\nhost: x\r\n\r\n";
    for (const byte of bytes) {
      client.socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const text = await client.until((all) => all.includes("GET /b?c=%20"));
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(text).toContain("content-length: 6\r\n");
  });

  test("says nothing about a connection that goes on as HTTP/1.1 has it, but what HTTP/1.0 must be told", async () => {
    const { port } = await serve(hello);
    const answered = async (head: string): Promise<string> => {
      const client = new RawClient(port);
      client.socket.write(`GET /a ${head}\r\n\r\n`);
      return await client.until((all) => all.includes("GET /a"));
    };
    expect(await answered("HTTP/1.1\r\nhost: x")).not.toMatch(/connection:|keep-alive:/i);
    expect(await answered("HTTP/1.1\r\nhost: x\r\nconnection: close")).toMatch(/connection: close/i);
    expect(await answered("HTTP/1.0\r\nconnection: keep-alive")).toMatch(/connection: keep-alive/i);
  });

  test("shows the request as it came", async () => {
    const seen: unknown[] = [];
    const { port } = await serve((exchange) => {
      seen.push(
        exchange.headers,
        exchange.header("x-one"),
        exchange.header("x-none"),
        exchange.contentLength,
        exchange.protocol,
        exchange.remoteAddress,
      );
      exchange.addResponseHeaders(["x-extra", "1"]);
      exchange.respond(204, []);
      seen.push(exchange.answered, exchange.responseStatus, exchange.responseBytes);
    });
    const client = new RawClient(port);
    client.socket.write("POST / HTTP/1.1\r\nHost: x\r\nX-One: first\r\nX-One: second\r\ncontent-length: 0\r\n\r\n");
    const text = await client.until((all) => all.includes("\r\n\r\n"));
    expect(seen).toEqual([
      ["Host", "x", "X-One", "first", "X-One", "second", "content-length", "0"],
      "first",
      undefined,
      0,
      "HTTP/1.1",
      "127.0.0.1",
      true,
      204,
      0,
    ]);
    expect(text).toContain("x-extra: 1");
    expect(text).not.toContain("content-length");
  });

  test("a HEAD answer has the length and no body", async () => {
    const { port } = await serve((exchange) => exchange.respond(200, [], "twelve bytes"));
    const client = new RawClient(port);
    client.socket.write("HEAD / HTTP/1.1\r\nhost: x\r\n\r\nHEAD / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    const text = await client.end();
    expect(text.match(/content-length: 12/g)).toHaveLength(2);
    expect(text).not.toContain("twelve");
  });

  test("bodies up to the limit, announced or chunked, and 413 above it on a usable connection", async () => {
    const { port } = await serve((exchange) => void answerBody(exchange, 10));
    const client = new RawClient(port);
    client.socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n0123456789");
    client.socket.write("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n");
    client.socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\n01234567890");
    client.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const text = await client.until((all) => all.split("HTTP/1.1 ").length === 5 && all.endsWith("\r\n\r\n0"));
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 413", "HTTP/1.1 200"]);
    expect(text).toContain("limit 10");
  });

  test.each(["content-length: 50000000", "transfer-encoding: chunked"])(
    "a large body over the limit (%s) still gets its answer",
    async (framing) => {
      const { port } = await serve((exchange) => void answerBody(exchange, 1000));
      const client = new RawClient(port);
      client.socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${framing}\r\n\r\n`);
      const chunk = Buffer.alloc(64 * 1024, "z");
      const piece = framing.startsWith("content")
        ? chunk
        : Buffer.concat([Buffer.from("10000\r\n"), chunk, Buffer.from("\r\n")]);
      let written = 0;
      while (!client.closed && written < 50_000_000 && !client.received.includes("limit 1000")) {
        written += piece.length;
        if (!client.socket.write(piece)) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const text = await client.until((all) => all.includes("limit 1000"));
      expect(text).toContain("413");
      expect(text).toContain("connection: close");
      expect(written).toBeLessThan(20_000_000);
    },
  );

  test("what is left of a body after the answer is read away and the connection goes on", async () => {
    const { port } = await serve((exchange) => {
      void (async () => {
        if (exchange.method === "POST") for await (const chunk of exchange.streamBody(0)) if (chunk.length > 0) break;
        if (exchange.target === "/streamed") exchange.startResponse(200, []).end();
        else exchange.respond(200, [], "early");
      })();
    });
    for (const target of ["/whole", "/streamed"]) {
      const client = new RawClient(port);
      client.socket.write(`POST ${target} HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n`);
      client.socket.write(Buffer.alloc(100_000, "x"));
      await client.until((all) => all.includes("200 OK"));
      client.socket.write(Buffer.alloc(100_000, "x"));
      client.socket.write("GET /next HTTP/1.1\r\nhost: x\r\n\r\n");
      const text = await client.until((all) => all.split("200 OK").length === 3);
      expect(text).not.toContain("connection: close");
    }
  });

  test("an answer that cannot be sent throws and leaves room for another", async () => {
    const { port } = await serve((exchange) => {
      expect(() => exchange.respond(200, ["bad", "line\nbreak"])).toThrow();
      exchange.respond(502, [], "sorry");
    });
    const client = new RawClient(port);
    client.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    expect(await client.until((all) => all.endsWith("sorry"))).toContain("502");
  });

  test("expect: 100-continue is answered when the body is wanted", async () => {
    const { port } = await serve((exchange) => void answerBody(exchange, 10));
    const client = new RawClient(port);
    client.socket.write("POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n");
    await client.until((all) => all.includes("100 Continue"));
    client.socket.write("abc");
    expect(await client.until((all) => all.endsWith("3"))).toContain("200 OK");
    const refused = new RawClient(port);
    refused.socket.write("POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 11\r\n\r\n");
    expect(await refused.end()).toMatch(/^HTTP\/1\.1 413/);
  });

  test("streams a body in and an answer out", async () => {
    const { port } = await serve((exchange) => {
      const writer = exchange.startResponse(200, ["x-streamed", "yes"]);
      void (async () => {
        for await (const chunk of exchange.streamBody(0)) await writer.write(chunk);
        writer.end();
      })();
    });
    const request = nodeRequest({ port, method: "POST", path: "/" });
    const response = new Promise<string>((resolve) => {
      request.on("response", (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          if (chunks.length < 3) request.write(`part${chunks.length};`);
          else request.end();
        });
        incoming.on("end", () => resolve(Buffer.concat(chunks).toString()));
      });
    });
    request.write("part0;");
    expect(await response).toBe("part0;part1;part2;");
  });

  test("a streamed body over the limit fails its reader", async () => {
    const failed = Promise.withResolvers<unknown>();
    const { port } = await serve((exchange) => {
      void (async () => {
        try {
          for await (const chunk of exchange.streamBody(5)) void chunk;
        } catch (error) {
          failed.resolve(error);
          exchange.respond(413, []);
        }
      })();
    });
    const client = new RawClient(port);
    client.socket.write("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n");
    expect(await failed.promise).toBeInstanceOf(BodyTooLargeError);
    expect(await client.until((all) => all.includes("413"))).toContain("413");
  });

  test("a slow reader of the answer holds the writer, a slow reader of the body holds the sender", async () => {
    let written = 0;
    let received = 0;
    const { port } = await serve((exchange) => {
      if (exchange.method === "GET") {
        const writer = exchange.startResponse(200, []);
        void (async () => {
          for (let i = 0; i < 2000; i += 1) {
            written += 64 * 1024;
            await writer.write(Buffer.alloc(64 * 1024));
          }
          writer.end();
        })().catch(() => undefined);
      } else {
        void (async () => {
          for await (const chunk of exchange.streamBody(0)) {
            received += chunk.length;
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        })().catch(() => undefined);
      }
    });
    const reader = new RawClient(port);
    reader.socket.pause();
    reader.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const sender = new RawClient(port);
    sender.socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n");
    let sent = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const until = performance.now() + 300;
    while (performance.now() < until || received === 0) {
      if (sender.socket.writableLength < chunk.length) {
        sent += chunk.length;
        sender.socket.write(chunk);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(written).toBeLessThan(32_000_000);
    expect(sent - received).toBeLessThan(32_000_000);
  });

  test("tells the handler once when the peer goes away", async () => {
    const aborted = Promise.withResolvers<void>();
    const broken = Promise.withResolvers<unknown>();
    let finished = 0;
    const { port } = await serve((exchange) => {
      if (exchange.method === "POST") exchange.readBody(0).catch(broken.resolve);
      exchange.onAbort(() => aborted.resolve());
      if (exchange.target === "/done") {
        exchange.onAbort(() => (finished += 1));
        exchange.respond(200, [], "x");
      }
    });
    const done = new RawClient(port);
    done.socket.write("GET /done HTTP/1.1\r\nhost: x\r\n\r\n");
    await done.until((all) => all.endsWith("x"));
    done.socket.destroy();
    const client = new RawClient(port);
    client.socket.write("POST /wait HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc", () =>
      client.socket.destroy(),
    );
    await aborted.promise;
    expect(await broken.promise).toMatchObject({ name: "PeerGoneError" });
    expect(finished).toBe(0);
  });

  test("abort cuts the answer off", async () => {
    const { port } = await serve((exchange) => {
      const writer = exchange.startResponse(200, []);
      void writer.write(Buffer.from("half"));
      setTimeout(() => writer.abort(), 10);
    });
    const client = new RawClient(port);
    client.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const text = await client.end();
    expect(text).toContain("half");
    expect(text.endsWith("0\r\n\r\n")).toBe(false);
  });

  test("a handler that throws is answered with 500", async () => {
    const { port } = await serve(() => {
      throw new Error("broken door");
    });
    const client = new RawClient(port);
    client.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    expect(await client.until((all) => all.includes("\r\n\r\n"))).toMatch(/^HTTP\/1\.1 500/);
  });
});

describe("the port", () => {
  test("a head over the limit is 431, a malformed one 400", async () => {
    const { port } = await serve(hello, { headerBytesMax: 4096 });
    const client = new RawClient(port);
    client.socket.write(`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${"y".repeat(5000)}\r\n\r\n`);
    expect(await client.end()).toMatch(/^HTTP\/1\.1 431/);
    const wrong = new RawClient(port);
    wrong.socket.write("NOT HTTP\r\n\r\n");
    expect(await wrong.end()).toMatch(/^HTTP\/1\.1 400/);
  });

  test("silent and dawdling connections are closed", async () => {
    const { port } = await serve(hello, { headerTimeoutMs: 60 });
    const silent = new RawClient(port);
    const slow = new RawClient(port);
    const preface = new RawClient(port);
    slow.socket.write("GET / HTTP/1.1\r\nhost:");
    preface.socket.write("PRI");
    expect(await silent.end()).toBe("");
    expect(await slow.end()).toMatch(/^(HTTP\/1\.1 408|$)/);
    expect(await preface.end()).toBe("");
  });

  test("h2c can be off, and then its preface is a bad request", async () => {
    const listener = await listen({ port: 0 }, { http: hello });
    open.push(listener);
    const client = new RawClient(listener.port);
    client.socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    expect(await client.end()).toMatch(/^HTTP\/1\.1 (400|505)/);
  });

  test("a unix socket", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "listen-")), "http.sock");
    const listener = await serve(hello, {}, { path });
    expect(listener).toMatchObject({ port: 0, address: `unix:${path}` });
    const body = await new Promise<string>((resolve) => {
      nodeRequest({ socketPath: path, path: "/u" }, (response) =>
        response.on("data", (chunk: Buffer) => resolve(chunk.toString())),
      ).end();
    });
    expect(body).toBe("GET /u");
  });

  test("an address in use is named with the reason", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    const error: unknown = await listen({ port }, { http: hello }).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({
      code: "EADDRINUSE",
      message: `cannot listen on 127.0.0.1:${port}: address already in use`,
    });
    other.close();
  });

  test("TLS that was meant for a port that could not be opened serves the next one, and only that", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const taken = (other.address() as { port: number }).port;
    let renewals = 0;
    const mutualTls = {
      server: createTlsServer(),
      identify: () => undefined,
      onRenewal: () => {
        renewals += 1;
        return () => (renewals -= 1);
      },
    };
    await expect(listen({ port: taken }, { mutualTls })).rejects.toThrow(ListenError);
    expect([mutualTls.server.listenerCount("secureConnection"), renewals]).toEqual([0, 0]);
    other.close();
    const listener = await listen({ port: 0 }, { mutualTls });
    expect(renewals).toBe(1);
    await listener.close(0);
    expect(renewals).toBe(0);
  });
});

describe("closing", () => {
  test("ends idle connections at once and lets running exchanges finish", async () => {
    let finish: () => void = () => undefined;
    const { port, close } = await serve((exchange) => {
      if (exchange.target === "/slow") finish = () => exchange.respond(200, [], "finished");
      else exchange.respond(200, [], "quick");
    }).then((listener) => ({ port: listener.port, close: (ms: number) => listener.close(ms) }));
    const idle = new RawClient(port);
    idle.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await idle.until((all) => all.endsWith("quick"));
    const silent = new RawClient(port);
    await new Promise((resolve) => silent.socket.once("connect", resolve));
    const busy = new RawClient(port);
    busy.socket.write("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n");
    while (finish.length === 0 && !String(finish).includes("finished"))
      await new Promise((resolve) => setTimeout(resolve, 1));
    // Longer than this test may take: who is idle ends before.
    const closed = close(60_000);
    await idle.end();
    await silent.end();
    finish();
    expect(await busy.end()).toContain("finished");
    expect(busy.received).toContain("connection: close");
    await closed;
  });

  test("cuts off what does not end in time", async () => {
    const listener = await serve(() => undefined);
    const stuck = new RawClient(listener.port);
    stuck.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const session = connectHttp2(`http://127.0.0.1:${listener.port}`);
    const stream = session.request({ ":path": "/" });
    stream.on("error", () => undefined);
    session.on("error", () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await listener.close(60);
    await stuck.end();
  });
});

describe("HTTP/2 by prior knowledge on the same port", () => {
  test("whole and streamed exchanges beside HTTP/1.1", async () => {
    const { port } = await serve((exchange) => {
      if (exchange.target === "/limit") void answerBody(exchange, 5);
      else if (exchange.method === "GET")
        exchange.respond(200, ["X-Upper", exchange.header("host") ?? "", "connection", "close"], "hello h2");
      else {
        const writer = exchange.startResponse(201, []);
        void (async () => {
          for await (const chunk of exchange.streamBody(0)) await writer.write(chunk);
          writer.end();
        })();
      }
    });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const call = (headers: Record<string, string>, body?: Buffer) =>
      new Promise<{ status: unknown; upper: unknown; body: Buffer }>((resolve, reject) => {
        const stream = session.request(headers);
        const chunks: Buffer[] = [];
        let head: Record<string, unknown> = {};
        stream.on("response", (got) => (head = got));
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () =>
          resolve({ status: head[constants.HTTP2_HEADER_STATUS], upper: head["x-upper"], body: Buffer.concat(chunks) }),
        );
        stream.on("error", reject);
        stream.end(body);
      });
    const got = await call({ ":path": "/" });
    expect(got).toMatchObject({ status: 200, upper: `127.0.0.1:${port}` });
    expect(got.body.toString()).toBe("hello h2");
    const big = Buffer.alloc(3_000_000, "b");
    const echoed = await call({ ":path": "/", ":method": "POST" }, big);
    expect(echoed.status).toBe(201);
    expect(echoed.body.equals(big)).toBe(true);
    expect(await call({ ":path": "/limit", ":method": "POST" }, Buffer.from("too long"))).toMatchObject({
      status: 413,
    });
    expect(
      await call({ ":path": "/limit", ":method": "POST", "content-length": "8" }, Buffer.from("too long")),
    ).toMatchObject({ status: 413 });
    expect((await call({ ":path": "/", ":method": "HEAD" })).status).toBe(201);
    await new Promise<void>((resolve) => session.close(resolve));
    const agent = new Agent({ keepAlive: true });
    const status = await new Promise((resolve) =>
      nodeRequest({ port, agent }, (response) => resolve(response.resume().statusCode)).end(),
    );
    expect(status).toBe(200);
    agent.destroy();
  });

  test("a reset is an abort", async () => {
    const aborted = Promise.withResolvers<void>();
    const { port } = await serve((exchange) => exchange.onAbort(() => aborted.resolve()));
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = session.request({ ":path": "/" });
    stream.on("error", () => undefined);
    setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), 20);
    await aborted.promise;
    session.destroy();
  });
});

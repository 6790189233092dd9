import { connect } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { createH2Transport } from "../h2/protocol/transport.ts";
import { acceptHttp } from "./h2-exchange.ts";
import { listen, type Listener } from "./listener.ts";
import type { HttpExchange } from "./types.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

let listener: Listener | undefined;
afterEach(async () => {
  await listener?.close(0);
});

async function open(handler: (exchange: HttpExchange) => void, h2c = true): Promise<number> {
  listener = await listen(
    { port: 0 },
    { http: handler, h2: h2c ? createH2Transport().createServer(acceptHttp(handler)) : undefined },
  );
  return listener.port;
}

function request(target: string, extra = ""): string {
  return `GET ${target} HTTP/1.1\r\nHost: example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n${extra}\r\n`;
}

/** Everything the server says to `text`, with the preface sent once it has switched, until `enough` is content. */
async function converse(port: number, text: string, enough: (seen: Buffer) => boolean): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  let seen = Buffer.alloc(0);
  let switched = false;
  socket.write(text);
  for await (const chunk of socket) {
    seen = Buffer.concat([seen, chunk as Buffer]);
    if (!switched && seen.includes("101 Switching")) {
      switched = true;
      socket.write(Buffer.concat([PREFACE, EMPTY_SETTINGS]));
    }
    if (enough(seen)) break;
  }
  socket.destroy();
  return seen;
}

/** Types and streams of the frames behind the 101. */
function frames(seen: Buffer): { type: number; stream: number; payload: Buffer }[] {
  let at = seen.indexOf("\r\n\r\n") + 4;
  const list = [];
  while (at + 9 <= seen.length) {
    const length = seen.readUIntBE(at, 3);
    list.push({
      type: seen[at + 3] ?? -1,
      stream: seen.readUInt32BE(at + 5),
      payload: seen.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return list;
}

describe("upgrade to h2c", () => {
  it("answers the request itself on stream 1", async () => {
    const asked: string[] = [];
    const port = await open((exchange) => {
      asked.push(
        `${exchange.protocol} ${exchange.method} ${exchange.target} ${exchange.header("x-long")?.length} ${exchange.header("host")}`,
      );
      exchange.respond(200, [], "hello");
    });
    const seen = await converse(port, request("/a?b=1", `X-Long: ${"y".repeat(5000)}\r\n`), (bytes) =>
      frames(bytes).some((frame) => frame.type === 0 && frame.payload.length === 5),
    );
    expect(asked).toEqual(["HTTP/2 GET /a?b=1 5000 example"]);
    expect(frames(seen).find((frame) => frame.type === 0)).toMatchObject({ stream: 1, payload: Buffer.from("hello") });
  });

  it("stays with HTTP/1.1 for a request with a body", async () => {
    const port = await open((exchange) => void exchange.readBody(100).then((body) => exchange.respond(200, [], body)));
    const text = request("/").replace("GET", "POST").replace("\r\n\r\n", "\r\nContent-Length: 3\r\n\r\nabc");
    const seen = await converse(port, text, (bytes) => bytes.includes("abc"));
    expect(seen.toString()).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it("stays with HTTP/1.1 where h2c is switched off, and for other protocols", async () => {
    const port = await open((exchange) => exchange.respond(204, []), false);
    expect((await converse(port, request("/"), (bytes) => bytes.includes("\r\n\r\n"))).toString()).toMatch(
      /^HTTP\/1\.1 204/,
    );
    await listener?.close(0);
    const other = await open((exchange) => exchange.respond(204, []));
    const text = request("/").replace("Upgrade: h2c", "Upgrade: websocket");
    expect((await converse(other, text, (bytes) => bytes.includes("\r\n\r\n"))).toString()).toMatch(/^HTTP\/1\.1 204/);
  });
});

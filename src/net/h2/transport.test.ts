import { connect as connectHttp2, constants, type ClientHttp2Session } from "node:http2";
import { connect } from "node:net";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTlsSocket, createServer as createTlsServer, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createHttpClient } from "../http/client.ts";
import { SELF_SIGNED_CERT, SELF_SIGNED_KEY } from "../http/self-signed.fixture.ts";
import { listen, type ListenAddress, type Listener } from "../http/listener.ts";
import {
  type AcceptStream,
  H2_ERROR,
  type RequestHead,
  type ResponseHead,
  type StreamHandler,
  type TransportClient,
  type TransportClientOptions,
  type TransportOptions,
  type Transport,
  type TransportStream,
} from "./transport.ts";
import { nodeTransport } from "./node/transport.ts";
import { createH2Transport } from "./protocol/transport.ts";

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const HEAD: RequestHead = {
  method: "POST",
  path: "/p",
  scheme: "http",
  authority: "a",
  headers: ["x-one", "1", "x-one", "2"],
};

/** Writes down everything that happens on a stream and waits for parts of it. */
class Recorder implements StreamHandler {
  readonly log: string[] = [];
  bytes = 0;
  head: ResponseHead | undefined;
  stream: TransportStream | undefined;
  readonly over = Promise.withResolvers<number>();

  onConnectError(error: Error): void {
    this.log.push(`connect error ${error.message}`);
  }
  onHead(head: ResponseHead, endStream: boolean): void {
    this.head = head;
    this.log.push(`head ${head.status}${endStream ? " end" : ""}`);
  }
  onData(chunk: Uint8Array): void {
    this.bytes += chunk.length;
  }
  onTrailers(trailers: readonly string[]): void {
    this.log.push(`trailers ${trailers.join(" ")}`);
  }
  onEnd(): void {
    this.log.push("end");
  }
  onDrain(): void {
    this.log.push("drain");
  }
  onClose(code: number): void {
    this.log.push(`close ${code}`);
    this.over.resolve(code);
  }
}

/** The implementation under test. */
let transport: Transport = nodeTransport;

async function serve(
  accept: AcceptStream,
  options?: TransportOptions,
  address: ListenAddress = { port: 0 },
): Promise<Listener> {
  const listener = await listen(address, { h2: transport.createServer(accept, options) });
  cleanups.push(() => listener.close(0));
  return listener;
}

function clientOf(address: string, options?: TransportClientOptions): TransportClient {
  const client = transport.createClient(address, options);
  cleanups.push(() => client.close());
  return client;
}

function rawClient(address: string): ClientHttp2Session {
  const session = connectHttp2(`http://${address}`);
  session.on("error", () => undefined);
  cleanups.push(() => session.destroy());
  return session;
}

describe.each([
  { name: "node:http2", make: () => nodeTransport },
  { name: "our own", make: createH2Transport },
])("$name", ({ make }) => {
  beforeEach(() => {
    transport = make();
  });

  describe("streams", () => {
    test("heads, data, trailers and ends, over TCP and a unix socket", async () => {
      const heads: RequestHead[] = [];
      const accept: AcceptStream = (stream, head) => {
        heads.push(head);
        const recorder = new Recorder();
        recorder.onEnd = () => {
          stream.respond({ status: 200, headers: ["h", "1", "h", "2"] }, false);
          stream.send(Buffer.from("abc"), false);
          stream.sendTrailers(["t", "1", "t", "2", "u", "3"]);
        };
        return recorder;
      };
      const path = join(mkdtempSync(join(tmpdir(), "h2-")), "h2.sock");
      for (const listener of [await serve(accept), await serve(accept, {}, { path })]) {
        const client = clientOf(listener.address);
        const recorder = new Recorder();
        client.open(HEAD, false, recorder).send(Buffer.from("hello"), true);
        expect(await recorder.over.promise).toBe(0);
        expect(recorder.log).toEqual(["head 200", "trailers t 1 t 2 u 3", "end", "close 0"]);
        expect(recorder.head?.headers.slice(0, 4)).toEqual(["h", "1", "h", "2"]);
        expect(recorder.bytes).toBe(3);
      }
      expect(heads[0]).toEqual(HEAD);
    });

    test("a head that is all, and an answer without trailers", async () => {
      const { address } = await serve((stream, head) => {
        stream.respond({ status: 404, headers: [] }, head.path === "/p");
        stream.send(Buffer.from("body"), true);
        return new Recorder();
      });
      const client = clientOf(address);
      const only = new Recorder();
      client.open(HEAD, true, only);
      await only.over.promise;
      expect(only.log).toEqual(["head 404 end", "end", "close 0"]);
      const plain = new Recorder();
      client.open({ ...HEAD, path: "/q" }, true, plain);
      await plain.over.promise;
      expect(plain.log.filter((one) => !one.startsWith("trailers"))).toEqual(["head 404", "end", "close 0"]);
      expect(plain.bytes).toBe(4);
    });

    test("a held stream takes a window's worth and no more, and the rest after resume", async () => {
      const recorder = new Recorder();
      const { address } = await serve(
        (stream) => {
          stream.hold();
          recorder.stream = stream;
          return recorder;
        },
        { streamWindowBytes: 100_000 },
      );
      const session = rawClient(address);
      const stream = session.request({ ":method": "POST" });
      stream.on("error", () => undefined);
      const total = 3_000_000;
      stream.end(Buffer.alloc(total));
      while (recorder.stream === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(recorder.bytes).toBeLessThan(150_000);
      expect(session.state.remoteWindowSize ?? 0).toBeGreaterThan(0);
      recorder.stream.resume();
      while (recorder.bytes < total) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(recorder.bytes).toBe(total);
    });

    test("send says stop when the peer does not read, and drains when it does", async () => {
      const server = new Recorder();
      let answers: boolean[] = [];
      const { address } = await serve((stream) => {
        stream.respond({ status: 200, headers: [] }, false);
        answers = Array.from({ length: 40 }, () => stream.send(Buffer.alloc(50_000), false));
        return server;
      });
      const recorder = new Recorder();
      const stream = clientOf(address, { streamWindowBytes: 65_535 }).open(HEAD, true, recorder);
      stream.hold();
      while (answers.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(answers.at(-1)).toBe(false);
      expect(server.log).not.toContain("drain");
      expect(recorder.bytes).toBeLessThan(200_000);
      stream.resume();
      while (recorder.bytes < 2_000_000) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(server.log).toContain("drain");
      stream.reset(H2_ERROR.cancel);
      expect(await server.over.promise).toBe(H2_ERROR.cancel);
    });

    test("a reset is told at once, also to a held stream, with its code", async () => {
      const server = new Recorder();
      const { address } = await serve((stream) => {
        stream.hold();
        server.stream = stream;
        return server;
      });
      const recorder = new Recorder();
      const stream = clientOf(address).open(HEAD, false, recorder);
      stream.send(Buffer.alloc(10_000), false);
      while (server.stream === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
      stream.reset(H2_ERROR.cancel);
      expect(await server.over.promise).toBe(H2_ERROR.cancel);
      expect(await recorder.over.promise).toBe(H2_ERROR.cancel);
      expect(server.log).toEqual(["close 8"]);
    });

    test("a head that cannot be sent resets the stream", async () => {
      const { address } = await serve((stream) => {
        stream.respond({ status: 200, headers: ["bad name", "x"] }, false);
        return new Recorder();
      });
      const recorder = new Recorder();
      clientOf(address).open(HEAD, true, recorder);
      expect(await recorder.over.promise).toBe(H2_ERROR.internal);
    });
  });

  describe("connections", () => {
    test("nobody there, a lost connection, and a new one after it", async () => {
      const first = await serve((stream) => {
        stream.respond({ status: 200, headers: [] }, false);
        return new Recorder();
      });
      const client = clientOf(first.address);
      const lost = new Recorder();
      client.open(HEAD, false, lost);
      while (lost.head === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
      await first.close(0);
      expect(await lost.over.promise).toBe(-1);
      const refused = new Recorder();
      client.open(HEAD, false, refused).send(Buffer.from("x"), true);
      expect(await refused.over.promise).toBe(-1);
      expect(refused.log[0]).toBe(`connect error connect ECONNREFUSED ${first.address}`);
      await serve(
        (stream) => {
          stream.respond({ status: 204, headers: [] }, true);
          return new Recorder();
        },
        {},
        { port: first.port },
      );
      const again = new Recorder();
      client.open(HEAD, true, again);
      await again.over.promise;
      expect(again.log[0]).toBe("head 204 end");
    });

    test("closing says GOAWAY, lets streams finish and takes no new ones", async () => {
      const server = new Recorder();
      const listener = await serve((stream) => {
        server.stream = stream;
        return server;
      });
      const client = clientOf(listener.address);
      const running = new Recorder();
      client.open(HEAD, true, running);
      while (server.stream === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
      const closed = listener.close(2000);
      await new Promise((resolve) => setTimeout(resolve, 30));
      const late = new Recorder();
      client.open(HEAD, true, late);
      expect(await late.over.promise).toBe(-1);
      server.stream.respond({ status: 200, headers: [] }, true);
      expect(await running.over.promise).toBe(0);
      await closed;
    });

    test("closing the client ends its streams; a closed client opens none", async () => {
      const { address } = await serve(() => new Recorder());
      const client = clientOf(address);
      const running = new Recorder();
      client.open(HEAD, false, running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await client.close();
      expect(await running.over.promise).toBe(-1);
      const late = new Recorder();
      client.open(HEAD, true, late);
      await late.over.promise;
      expect(late.log).toEqual([`connect error the client of ${address} is closed`, "close -1"]);
    });

    test("a peer that answers no PING is lost", async () => {
      const silent = await listen(
        { port: 0 },
        { h2: { accept: (socket) => void socket.resume(), renew: () => undefined, close: () => Promise.resolve() } },
      );
      cleanups.push(() => silent.close(0));
      const client = clientOf(silent.address, { keepaliveMs: 20, keepaliveTimeoutMs: 20 });
      const recorder = new Recorder();
      client.open(HEAD, true, recorder);
      expect(await recorder.over.promise).toBe(-1);
    });

    test("a silent connection is closed", async () => {
      const { port } = await serve(() => new Recorder(), { handshakeTimeoutMs: 30 });
      const socket = connect(port, "127.0.0.1");
      await new Promise<void>((resolve) => socket.resume().on("close", () => resolve()));
    });

    test("TLS under the listener and the client, HTTP/1.1 and HTTP/2 on one port", async () => {
      const secure = createTlsServer({
        key: SELF_SIGNED_KEY,
        cert: SELF_SIGNED_CERT,
        ALPNProtocols: ["h2", "http/1.1"],
      });
      const h2 = transport.createServer((stream) => {
        stream.respond({ status: 200, headers: [] }, true);
        return new Recorder();
      });
      const listener = await listen(
        { port: 0 },
        {
          h2,
          http: (exchange) => exchange.respond(200, [], "one"),
          secure,
        },
      );
      cleanups.push(() => listener.close(0));
      const connectTls = (): TLSSocket =>
        connectTlsSocket({ port: listener.port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
      const recorder = new Recorder();
      clientOf(listener.address, { connect: connectTls }).open({ ...HEAD, scheme: "https" }, true, recorder);
      expect(await recorder.over.promise).toBe(0);
      expect(recorder.log[0]).toBe("head 200 end");
      const http = createHttpClient(`https://${listener.address}`, { rejectUnauthorized: false });
      cleanups.push(() => http.close());
      const response = await http.request({ method: "GET", target: "/", headers: [], body: new Uint8Array() });
      expect(response.body).toEqual(Buffer.from("one"));
    });

    test("a renewal ends standing connections with their streams, and takes new ones", async () => {
      const answers: (() => void)[] = [];
      const server = transport.createServer((stream) => {
        answers.push(() => stream.respond({ status: 200, headers: [] }, true));
        return new Recorder();
      });
      const listener = await listen({ port: 0 }, { h2: server });
      cleanups.push(() => listener.close(0));
      const session = rawClient(listener.address);
      const ended = new Promise<void>((resolve) => session.once("close", () => resolve()));
      const stream = session.request({ ":path": "/" });
      const response = new Promise((resolve) => stream.once("response", resolve));
      await vi.waitFor(() => expect(answers).toHaveLength(1), { timeout: 8_000 });
      server.renew();
      await new Promise((resolve) => session.once("goaway", resolve));
      answers[0]?.();
      expect(await response).toMatchObject({ ":status": 200 });
      stream.resume();
      await ended;
      const recorder = new Recorder();
      clientOf(listener.address).open(HEAD, true, recorder);
      await vi.waitFor(() => expect(answers).toHaveLength(2), { timeout: 8_000 });
      answers[1]?.();
      expect(await recorder.over.promise).toBe(0);
    });

    test("bytes that are not HTTP/2 end the connection", async () => {
      const { port } = await serve(() => new Recorder());
      const socket = connect(port, "127.0.0.1");
      socket.write("GET / HTTP/1.1\r\n\r\n");
      await new Promise<void>((resolve) =>
        socket
          .resume()
          .on("close", () => resolve())
          .on("error", () => undefined),
      );
    });
  });

  describe("limits", () => {
    test("a head over the limit is refused, also before the peer knows our settings", async () => {
      let served = 0;
      const { address } = await serve(
        (stream) => {
          served += 1;
          stream.respond({ status: 200, headers: [] }, true);
          return new Recorder();
        },
        { headerBytesMax: 4096 },
      );
      const session = rawClient(address);
      const stream = session.request({ ":path": "/", "x-long": "y".repeat(20_000) });
      const failed = await new Promise((resolve) => {
        stream.on("error", () => resolve(true)).on("close", () => resolve(stream.rstCode !== 0));
        stream.on("response", (head) => resolve(head[":status"] === 431));
      });
      expect(failed).toBe(true);
      expect(served).toBe(0);
    });

    test("streams beyond the limit wait for the others", async () => {
      const streams: TransportStream[] = [];
      const { address } = await serve(
        (stream) => {
          streams.push(stream);
          return new Recorder();
        },
        { streamsMax: 3 },
      );
      const client = clientOf(address);
      const recorders = Array.from({ length: 6 }, () => {
        const recorder = new Recorder();
        return recorder;
      });
      client.open(HEAD, true, recorders[0] as Recorder);
      while (streams.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      for (const recorder of recorders.slice(1)) client.open(HEAD, true, recorder);
      while (streams.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(streams).toHaveLength(3);
      for (let i = 0; i < 6; i += 1) {
        while (streams.length <= i) await new Promise((resolve) => setTimeout(resolve, 1));
        streams[i]?.respond({ status: 200, headers: [] }, true);
      }
      expect(await Promise.all(recorders.map((one) => one.over.promise))).toEqual([0, 0, 0, 0, 0, 0]);
    });

    test("a flood of resets ends the connection", async () => {
      const { address } = await serve(() => new Recorder());
      const session = rawClient(address);
      await new Promise((resolve) => session.once("remoteSettings", resolve));
      const closed = new Promise((resolve) => session.once("close", resolve));
      for (let round = 0; round < 40 && !session.destroyed; round += 1) {
        for (let i = 0; i < 100 && !session.destroyed; i += 1) {
          const stream = session.request({ ":path": "/" });
          stream.on("error", () => undefined);
          stream.close(constants.NGHTTP2_CANCEL);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      await closed;
      expect(session.destroyed).toBe(true);
    });
  });
});

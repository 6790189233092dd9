// A process whose streams are taken slowly, or that takes them slowly itself; or that stands between two others.
import { listen } from "../../src/net/http/listener.ts";
import { GrpcServer } from "../../src/net/grpc/server.ts";
import { acceptHttp } from "../../src/net/http/h2-exchange.ts";
import type { HttpExchange } from "../../src/net/http/types.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import {
  type AcceptStream,
  H2_ERROR,
  type RequestHead,
  type StreamHandler,
  type TransportClient,
  type TransportStream,
} from "../../src/net/h2/transport.ts";
import { CHUNK_BYTES, type StreamsCommand, type StreamsState } from "./streams-protocol.ts";

const transport = createH2Transport();
const NOTHING = new Uint8Array(0);
let port = 0;
let sentBytes = 0;
let receivedBytes = 0;
let upstream: TransportClient | undefined;
let go = Promise.withResolvers<void>();

/** Bytes as the connection takes them: `/pump/<bytes>` in chunks, `/unary/<bytes>` at once. */
class Pump implements StreamHandler {
  private readonly stream: TransportStream;
  private readonly chunkBytes: number;
  private left: number;

  constructor(stream: TransportStream, bytes: number, chunkBytes: number) {
    this.stream = stream;
    this.left = bytes;
    this.chunkBytes = chunkBytes;
    stream.respond({ status: 200, headers: [] }, false);
    this.onDrain();
  }

  onData(): void {}
  onEnd(): void {}
  onClose(): void {}

  onDrain(): void {
    let room = true;
    while (room && this.left > 0) {
      const length = Math.min(this.chunkBytes, this.left);
      this.left -= length;
      sentBytes += length;
      room = this.stream.send(Buffer.alloc(length), this.left === 0);
    }
  }
}

/** Takes nothing until it is told to. */
class Hold implements StreamHandler {
  private readonly stream: TransportStream;

  constructor(stream: TransportStream) {
    this.stream = stream;
    stream.hold();
    void go.promise.then(() => stream.resume());
  }

  onData(chunk: Uint8Array): void {
    receivedBytes += chunk.length;
  }
  onEnd(): void {
    this.stream.respond({ status: 200, headers: [] }, true);
  }
  onClose(): void {}
}

/** One stream passed on to another server, as a proxy does: bytes are taken as fast as the other side takes them. */
class Relay implements StreamHandler {
  private readonly down: TransportStream;
  private readonly up: TransportStream;

  constructor(down: TransportStream, head: RequestHead, client: TransportClient) {
    this.down = down;
    this.up = client.open(head, false, {
      onHead: (response, endStream) => down.respond(response, endStream),
      onData: (chunk) => {
        if (!down.send(chunk, false)) this.up.hold();
      },
      onTrailers: (trailers) => down.sendTrailers(trailers),
      onEnd: () => void down.send(NOTHING, true),
      onDrain: () => down.resume(),
      onClose: (code) => {
        if (code !== 0) down.reset(H2_ERROR.internal);
      },
    });
  }

  onData(chunk: Uint8Array): void {
    if (!this.up.send(chunk, false)) this.down.hold();
  }
  onEnd(): void {
    this.up.send(NOTHING, true);
  }
  onDrain(): void {
    this.up.resume();
  }
  onClose(code: number): void {
    if (code !== 0) this.up.reset(H2_ERROR.cancel);
  }
}

async function overHttp(exchange: HttpExchange): Promise<void> {
  const [, , what, bytes] = exchange.target.split("/");
  if (what === "hold") {
    const body = exchange.streamBody(0);
    await go.promise;
    for await (const chunk of body) receivedBytes += chunk.length;
    exchange.respond(200, []);
    return;
  }
  const writer = exchange.startResponse(200, []);
  for (let left = Number(bytes); left > 0; left -= CHUNK_BYTES) {
    const length = Math.min(left, CHUNK_BYTES);
    sentBytes += length;
    await writer.write(Buffer.alloc(length));
  }
  writer.end();
}

function grpcServer(): GrpcServer {
  const server = new GrpcServer();
  server.fallback(async function* overGrpc(requests, call) {
    const [, , what, bytes] = call.path.split("/");
    if (what === "hold") {
      await go.promise;
      for await (const message of requests) receivedBytes += message.length + 5;
      return;
    }
    for (let left = Number(bytes); left > 0; left -= CHUNK_BYTES) {
      sentBytes += Math.min(left, CHUNK_BYTES);
      yield Buffer.alloc(Math.min(left, CHUNK_BYTES) - 5);
    }
  });
  return server;
}

async function serve(): Promise<void> {
  const http = acceptHttp((exchange) => void overHttp(exchange).catch(() => undefined));
  const grpc = grpcServer();
  const accept: AcceptStream = (stream, head, peer) => {
    if (upstream !== undefined) return new Relay(stream, head, upstream);
    const [, kind, bytes] = head.path.split("/");
    if (kind === "http") return http(stream, head, peer);
    if (kind === "grpc") return grpc.accept(stream, head, peer);
    if (kind === "hold") return new Hold(stream);
    return new Pump(stream, Number(bytes), kind === "unary" ? Number(bytes) : CHUNK_BYTES);
  };
  port = (await listen({ port: 0 }, { h2: transport.createServer(accept) })).port;
}

/** Buffers are given back a moment after the collection that found them unused. */
async function state(): Promise<StreamsState> {
  for (let i = 0; i < 2; i += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { heapUsed, external } = process.memoryUsage();
  return { port, sentBytes, receivedBytes, memoryBytes: heapUsed + external };
}

process.on("message", async (command: StreamsCommand) => {
  if (command.do === "serve") {
    if (command.upstream !== undefined) upstream = transport.createClient(`127.0.0.1:${command.upstream}`);
    await serve();
  }
  if (command.do === "go on") {
    go.resolve();
    go = Promise.withResolvers();
  }
  process.send?.(await state());
});
process.on("disconnect", () => process.exit());

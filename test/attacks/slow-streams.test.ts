import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SEND_BUFFER_BYTES, STREAM_WINDOW_BYTES } from "../../src/net/h2/limits.ts";
import { FLAG, FRAME } from "../../src/net/h2/protocol/frames.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import type { StreamHandler, TransportClient, TransportStream } from "../../src/net/h2/transport.ts";
import { frame, requestFields } from "../harness/h2-frames.ts";
import { RawPeer } from "../harness/h2-raw-peer.ts";
import { until } from "../harness/until.ts";
import { CHUNK_BYTES, type StreamsCommand, type StreamsState } from "./streams-protocol.ts";

// Who takes bytes slowly holds up who sends them, and nobody in between keeps more than windows and queues.

/** What waits for a reader inside the HTTP and gRPC layers, and what one read of a socket may add. */
const QUEUE_BYTES = 64 * 1024 + 64 * 1024;
/** On one connection a stream has in flight and in memory its window at the receiver and its queue at the sender. */
const HOP_BYTES = STREAM_WINDOW_BYTES + SEND_BUFFER_BYTES + CHUNK_BYTES;
/** Of a process, beside the streams: code that was compiled meanwhile, tables, noise of the collector. */
const OTHER_BYTES = 8 * 1024 * 1024;

class Process {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, "streams-child.ts"), {
    execArgv: ["--expose-gc"],
    stdio: "inherit",
  });

  async ask(command: StreamsCommand): Promise<StreamsState> {
    const answer = once(this.#child, "message") as Promise<[StreamsState]>;
    this.#child.send(command);
    return (await answer)[0];
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.disconnect();
    await exit;
  }
}

let back: Process;
let proxy: Process;
let direct: { readonly target: Process; readonly port: number; readonly hops: number };
let proxied: typeof direct;
beforeAll(async () => {
  back = new Process();
  proxy = new Process();
  const { port } = await back.ask({ do: "serve" });
  direct = { target: back, port, hops: 1 };
  proxied = { target: proxy, port: (await proxy.ask({ do: "serve", upstream: port })).port, hops: 2 };
});
afterAll(async () => {
  await back.stop();
  await proxy.stop();
});

let client: TransportClient;
const open = (port: number): void => {
  client = createH2Transport().createClient(`127.0.0.1:${port}`);
};
afterEach(async () => await client.close());

/** Reads nothing until it is told to, and writes what it is given as fast as the connection takes it. */
class Caller implements StreamHandler {
  readonly over = Promise.withResolvers<number>();
  readBytes = 0;
  writtenBytes = 0;
  private readonly stream: TransportStream;
  private readonly chunk: Buffer;
  private left: number;

  constructor(path: string, writes: number, chunk: Buffer) {
    this.left = writes;
    this.chunk = chunk;
    const headers = path.startsWith("/grpc") ? ["content-type", "application/grpc", "te", "trailers"] : [];
    const head = { method: "POST", path, scheme: "http", authority: "a", headers };
    this.stream = client.open(head, writes === 0, this);
    if (writes === 0) this.stream.hold();
    this.onDrain();
  }

  onData(chunk: Uint8Array): void {
    this.readBytes += chunk.length;
  }
  onEnd(): void {}
  onDrain(): void {
    let room = true;
    while (room && this.left > 0) {
      this.left -= 1;
      this.writtenBytes += this.chunk.length;
      room = this.stream.send(this.chunk, this.left === 0);
    }
  }
  onClose(code: number): void {
    this.over.resolve(code);
  }
  goOn(): void {
    this.stream.resume();
  }
}

/** Waits until a number no longer grows. */
async function settled(read: () => Promise<number> | number): Promise<number> {
  let last = -1;
  let same = 0;
  return await until("it no longer grows", async () => {
    const now = await read();
    same = now === last && now > 0 ? same + 1 : 0;
    last = now;
    return same >= 5 && now;
  });
}

/** A gRPC message of a chunk's length; to the other kinds its bytes mean nothing. */
function message(bytes: number): Buffer {
  const whole = Buffer.alloc(bytes);
  whole.writeUInt32BE(bytes - 5, 1);
  return whole;
}

describe.each([
  { how: "directly", way: () => direct },
  { how: "through a proxy", way: () => proxied },
])("$how", ({ way }) => {
  beforeEach(() => open(way().port));

  describe.each([
    { streams: 1, chunks: 2_000 },
    { streams: 100, chunks: 40 },
  ])("$streams at a time", ({ streams, chunks }) => {
    const bytes = chunks * CHUNK_BYTES;

    test.each(["/pump", "/http/pump", "/grpc/pump"])("a slow reader of %s", async (path) => {
      const { target, hops } = way();
      const before = await target.ask({ do: "state" });
      const sentBefore = (await back.ask({ do: "state" })).sentBytes;
      const request = path.startsWith("/grpc") ? 1 : 0;
      const callers = Array.from({ length: streams }, () => {
        const caller = new Caller(`${path}/${bytes}`, request, message(5));
        if (request === 1) caller["stream"].hold();
        return caller;
      });
      const sent = (await settled(async () => (await back.ask({ do: "state" })).sentBytes)) - sentBefore;
      expect(sent).toBeLessThanOrEqual(streams * hops * (HOP_BYTES + SEND_BUFFER_BYTES));
      expect(sent).toBeLessThan(streams * bytes);
      const { memoryBytes } = await target.ask({ do: "state" });
      expect(memoryBytes - before.memoryBytes).toBeLessThan(streams * HOP_BYTES + OTHER_BYTES);

      for (const caller of callers) caller.goOn();
      for (const caller of callers) expect(await caller.over.promise).toBe(0);
      for (const caller of callers) expect(caller.readBytes).toBe(bytes);
    });

    test.each(["/hold", "/http/hold", "/grpc/hold"])("a slow writer at %s", async (path) => {
      const { target, hops } = way();
      const before = await target.ask({ do: "state" });
      const receivedBefore = (await back.ask({ do: "state" })).receivedBytes;
      const callers = Array.from({ length: streams }, () => new Caller(path, chunks, message(CHUNK_BYTES)));
      const written = await settled(() => callers.reduce((sum, caller) => sum + caller.writtenBytes, 0));
      expect(written).toBeLessThanOrEqual(streams * (hops * HOP_BYTES + QUEUE_BYTES));
      expect(written).toBeLessThan(streams * bytes);
      const { memoryBytes } = await target.ask({ do: "state" });
      expect(memoryBytes - before.memoryBytes).toBeLessThan(streams * (HOP_BYTES + QUEUE_BYTES) + OTHER_BYTES);

      await back.ask({ do: "go on" });
      for (const caller of callers) expect(await caller.over.promise).toBe(0);
      expect((await back.ask({ do: "state" })).receivedBytes - receivedBefore).toBe(streams * bytes);
    });
  });
});

describe("one large message through a proxy", () => {
  const MESSAGE_BYTES = 32 * 1024 * 1024;
  beforeEach(() => open(proxied.port));

  test("to a slow reader", async () => {
    const before = await proxy.ask({ do: "state" });
    const caller = new Caller(`/unary/${MESSAGE_BYTES}`, 0, Buffer.alloc(0));
    await settled(async () => (await back.ask({ do: "state" })).sentBytes);
    const { memoryBytes } = await proxy.ask({ do: "state" });
    expect(memoryBytes - before.memoryBytes).toBeLessThan(HOP_BYTES + OTHER_BYTES);
    caller.goOn();
    expect(await caller.over.promise).toBe(0);
    expect(caller.readBytes).toBe(MESSAGE_BYTES);
  });

  test("to a slow writer", async () => {
    const before = [await proxy.ask({ do: "state" }), await back.ask({ do: "state" })] as const;
    const caller = new Caller("/hold", 1, Buffer.alloc(MESSAGE_BYTES));
    const growth = async (): Promise<readonly number[]> => [
      (await proxy.ask({ do: "state" })).memoryBytes - before[0].memoryBytes,
      (await back.ask({ do: "state" })).memoryBytes - before[1].memoryBytes,
    ];
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const bytes of await growth()) expect(bytes).toBeLessThan(HOP_BYTES + OTHER_BYTES);
    await back.ask({ do: "go on" });
    expect(await caller.over.promise).toBe(0);
    expect((await back.ask({ do: "state" })).receivedBytes - before[1].receivedBytes).toBe(MESSAGE_BYTES);
  });
});

test("bytes that are held one by one keep nothing else of what came with them", async () => {
  open(direct.port);
  const rounds = 400;
  const before = await back.ask({ do: "state" });
  const peer = await RawPeer.connect(direct.port);
  peer.send(frame(FRAME.headers, FLAG.endHeaders, 1, requestFields("/hold")));
  const round = Buffer.concat([
    frame(FRAME.data, 0, 1, Buffer.from("x")),
    // Unknown frames are thrown away as they come.
    frame(0xbe, 0, 0, Buffer.alloc(16_384)),
    frame(0xbe, 0, 0, Buffer.alloc(16_384)),
    frame(0xbe, 0, 0, Buffer.alloc(16_384)),
    frame(0xbe, 0, 0, Buffer.alloc(16_000)),
  ]);
  await peer.flood(() => round, rounds);
  const held = await back.ask({ do: "state" });
  expect(peer.over).toBe(false);
  expect(held.memoryBytes - before.memoryBytes).toBeLessThan(OTHER_BYTES);
  await back.ask({ do: "go on" });
  await until(
    "all is taken",
    async () => (await back.ask({ do: "state" })).receivedBytes === before.receivedBytes + rounds,
  );
  peer.close();
});

import { once } from "node:events";
import { type AddressInfo, createServer, Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { frame, literal, numberFrame, settings } from "../../../../test/harness/h2-frames.ts";
import { answerHonestly, RawPeer } from "../../../../test/harness/h2-raw-peer.ts";
import {
  H2_ERROR,
  type RequestHead,
  type StreamHandler,
  type TransportClient,
  type TransportStream,
} from "../transport.ts";
import { FLAG, FRAME, PREFACE, SETTING } from "./frames.ts";
import { createH2Transport } from "./transport.ts";

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const HEAD: RequestHead = { method: "POST", path: "/p", scheme: "http", authority: "a", headers: [] };
const STATUS_200 = Buffer.from([0x88]);
const END_HEADERS = FLAG.endHeaders;

/** A server whose frames are written by hand, and a client of it. */
class Scene {
  readonly peers: RawPeer[] = [];
  client!: TransportClient;
  private onPeer: (() => void) | undefined;

  static async open(hello: Buffer): Promise<Scene> {
    const scene = new Scene();
    const server = createServer({ noDelay: true }, (socket: Socket) => {
      const peer = new RawPeer(socket, PREFACE.length);
      scene.peers.push(peer);
      if (hello.length > 0) {
        answerHonestly(peer);
        peer.send(hello);
      }
      scene.onPeer?.();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    scene.client = createH2Transport().createClient(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    cleanups.push(
      () => new Promise((resolve) => server.close(resolve)),
      () => scene.peers.forEach((peer) => peer.close()),
      () => scene.client.close(),
    );
    return scene;
  }

  async peer(index: number): Promise<RawPeer> {
    while (this.peers.length <= index) {
      await new Promise<void>((resolve) => {
        this.onPeer = resolve;
      });
    }
    return this.peers[index] as RawPeer;
  }
}

/** Takes everything down; `onEnd` may be told what to do besides. */
class Recorder implements StreamHandler {
  readonly log: string[] = [];
  bytes = 0;
  stream: TransportStream | undefined;
  readonly over = Promise.withResolvers<number>();
  private readonly resetsAtEnd: boolean;

  constructor(resetsAtEnd = false) {
    this.resetsAtEnd = resetsAtEnd;
  }
  onData(chunk: Uint8Array): void {
    this.bytes += chunk.length;
  }
  onTrailers(trailers: readonly string[]): void {
    this.log.push(`trailers ${trailers.join(" ")}`);
  }
  onEnd(): void {
    this.log.push("end");
    if (this.resetsAtEnd) this.stream?.reset(H2_ERROR.cancel);
  }
  onClose(code: number): void {
    this.log.push(`close ${code}`);
    this.over.resolve(code);
  }
}

function ask(client: TransportClient, head: RequestHead = HEAD, recorder = new Recorder()): Recorder {
  recorder.stream = client.open(head, true, recorder);
  return recorder;
}

function isHead(id: number): (one: { type: number; id: number }) => boolean {
  return (one) => one.type === FRAME.headers && one.id === id;
}

/** Lets the other end hear what it is to hear: PINGs are answered in their place. */
async function settle(peer: RawPeer): Promise<void> {
  const mark = Buffer.alloc(8);
  mark.writeUInt32BE(peer.frames.length);
  peer.send(frame(FRAME.ping, 0, 0, mark));
  await peer.frame(({ type, payload }) => type === FRAME.ping && payload.equals(mark));
}

function headsOf(peer: RawPeer): number[] {
  return peer.frames.filter(({ type }) => type === FRAME.headers).map(({ id }) => id);
}

describe("what goes out", () => {
  test("no reset for an exchange that is complete, though its handler wants one", async () => {
    const scene = await Scene.open(settings());
    const call = ask(scene.client, HEAD, new Recorder(true));
    const peer = await scene.peer(0);
    await peer.frame(isHead(1));
    peer.send(frame(FRAME.headers, END_HEADERS | FLAG.endStream, 1, STATUS_200));
    await call.over.promise;
    await settle(peer);
    expect(peer.frames.some(({ type }) => type === FRAME.rstStream)).toBe(false);
  });

  test("nothing of a head that cannot be sent: other streams go on", async () => {
    const scene = await Scene.open(settings([SETTING.maxHeaderListSize, 1_000]));
    const first = ask(scene.client);
    const peer = await scene.peer(0);
    await peer.frame(({ type, flags }) => type === FRAME.settings && flags === FLAG.ack);
    const malformed = ask(scene.client, { ...HEAD, headers: ["x", "a\nb"] });
    const tooLarge = ask(scene.client, { ...HEAD, headers: ["x", "v".repeat(1_000)] });
    expect(await malformed.over.promise).toBe(H2_ERROR.internal);
    expect(await tooLarge.over.promise).toBe(H2_ERROR.internal);
    ask(scene.client, { ...HEAD, headers: ["x", "v".repeat(900)] });
    await settle(peer);
    expect(headsOf(peer)).toHaveLength(2);
    expect(peer.frames.some(({ type }) => type === FRAME.rstStream)).toBe(false);
    peer.send(frame(FRAME.headers, END_HEADERS | FLAG.endStream, 1, STATUS_200));
    expect(await first.over.promise).toBe(0);
  });

  test("one stream before the server's SETTINGS, then as many as they say, and any number if they say nothing", async () => {
    const scene = await Scene.open(Buffer.alloc(0));
    for (let i = 0; i < 300; i += 1) ask(scene.client);
    const peer = await scene.peer(0);
    await peer.frame(isHead(1));
    expect(headsOf(peer)).toEqual([1]);
    peer.send(settings([SETTING.maxConcurrentStreams, 3]));
    await settle(peer);
    expect(headsOf(peer)).toEqual([1, 3, 5]);

    const unlimited = await Scene.open(settings());
    for (let i = 0; i < 300; i += 1) ask(unlimited.client);
    await settle(await unlimited.peer(0));
    expect(headsOf(await unlimited.peer(0))).toHaveLength(300);
  });
});

describe("what comes in", () => {
  test("a whole response outlives its connection while its reader takes its time", async () => {
    const scene = await Scene.open(settings());
    const call = ask(scene.client);
    const unanswered = ask(scene.client);
    call.stream?.hold();
    const peer = await scene.peer(0);
    await peer.frame(isHead(1));
    peer.send(
      frame(FRAME.headers, END_HEADERS, 1, STATUS_200),
      frame(FRAME.data, 0, 1, Buffer.alloc(10_000)),
      frame(FRAME.headers, END_HEADERS | FLAG.endStream, 1, literal("grpc-status", "0")),
    );
    await settle(peer);
    peer.close();
    expect(await unanswered.over.promise).toBe(-1);
    expect(call.bytes).toBe(0);
    call.stream?.resume();
    expect(call).toMatchObject({ bytes: 10_000, log: ["trailers grpc-status 0", "end", "close 0"] });
  });

  test("the same with a reset that only ends the request", async () => {
    const scene = await Scene.open(settings());
    const call = new Recorder();
    call.stream = scene.client.open(HEAD, false, call);
    call.stream.hold();
    const peer = await scene.peer(0);
    await peer.frame(isHead(1));
    peer.send(
      frame(FRAME.headers, END_HEADERS, 1, STATUS_200),
      frame(FRAME.data, FLAG.endStream, 1, Buffer.alloc(10_000)),
      numberFrame(FRAME.rstStream, 1, H2_ERROR.noError),
    );
    await settle(peer);
    call.stream.send(Buffer.alloc(10), true);
    call.stream.resume();
    expect(call).toMatchObject({ bytes: 10_000, log: ["end", "close 0"] });
    await settle(peer);
    expect(peer.dataBytes).toBe(0);
  });

  test("a response that is not whole is lost with its connection", async () => {
    const scene = await Scene.open(settings());
    const call = ask(scene.client);
    const peer = await scene.peer(0);
    await peer.frame(isHead(1));
    peer.send(frame(FRAME.headers, END_HEADERS, 1, STATUS_200), frame(FRAME.data, 0, 1, Buffer.alloc(10_000)));
    await settle(peer);
    peer.close();
    expect(await call.over.promise).toBe(-1);
  });
});

describe("GOAWAY", () => {
  const goaway = (lastId: number, code: number): Buffer => {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(lastId);
    payload.writeUInt32BE(code, 4);
    return frame(FRAME.goaway, 0, 0, payload);
  };

  test.each([H2_ERROR.noError, H2_ERROR.enhanceYourCalm])(
    "streams under way go on, later ones are refused, waiting ones go to the next connection (code %i)",
    async (code) => {
      const scene = await Scene.open(settings([SETTING.maxConcurrentStreams, 2]));
      const [seen, unseen, waiting] = [ask(scene.client), ask(scene.client), ask(scene.client)];
      const peer = await scene.peer(0);
      await peer.frame(isHead(3));
      peer.send(goaway(1, code));
      expect(await unseen.over.promise).toBe(H2_ERROR.refusedStream);
      const next = await scene.peer(1);
      await next.frame(isHead(1));
      next.send(frame(FRAME.headers, END_HEADERS | FLAG.endStream, 1, STATUS_200));
      expect(await waiting.over.promise).toBe(0);
      peer.send(frame(FRAME.headers, END_HEADERS | FLAG.endStream, 1, STATUS_200));
      expect(await seen.over.promise).toBe(0);
    },
  );

  test("a stream does not wait for ever more connections", async () => {
    const scene = await Scene.open(Buffer.concat([settings([SETTING.maxConcurrentStreams, 0]), goaway(0, 0)]));
    const calls = Array.from({ length: 20 }, () => ask(scene.client));
    for (const one of calls) expect(await one.over.promise).toBe(H2_ERROR.refusedStream);
    expect(scene.peers.length).toBe(6);
  });
});

test.each([
  ["with an error", () => new Socket().on("error", () => undefined).destroy(new Error("refused"))],
  ["without one", () => new Socket().destroy()],
  ["long ago", (closed: Socket) => closed],
])("a socket that was closed before the client got it, %s, fails its streams once", async (_, make) => {
  const closed = new Socket().destroy();
  await once(closed, "close");
  const client = createH2Transport().createClient("peer:1", { connect: () => make(closed) });
  cleanups.push(() => client.close());
  const told: string[] = [];
  const over = Promise.withResolvers<void>();
  client.open(HEAD, false, {
    onConnectError: () => told.push("connect error"),
    onData: () => undefined,
    onEnd: () => undefined,
    onClose: (code) => {
      told.push(`close ${code}`);
      over.resolve();
    },
  });
  await over.promise;
  await client.close();
  expect(told).toEqual(["connect error", "close -1"]);
});

import { createServer, type AddressInfo, type Server } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FLAG, FRAME, PREFACE, SETTING } from "../../src/net/h2/protocol/frames.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { H2_ERROR, type CutOff, type TransportOptions } from "../../src/net/h2/transport.ts";
import { frame, huffman, integer, literal, numberFrame, settings, times, uint32 } from "../harness/h2-frames.ts";
import { RawPeer } from "../harness/h2-raw-peer.ts";
import { until } from "../harness/until.ts";
import { Victim } from "./victim.ts";

// The same bounds for a client whose server is not to be trusted: an app that answers over HTTP/2, a peer sidecar.

const CUT_OFF_MS_MAX = 1_000;
const CPU_MS_MAX = 100;
const STREAMS = 50;
const OPEN = FLAG.endHeaders;
const ENDED = FLAG.endHeaders | FLAG.endStream;
const ANSWER_HEAD = Buffer.from([0x88]);
const FRAMES_A_ROUND = 1_000;

let victim: Victim;
let server: Server;
let nextPeer: PromiseWithResolvers<RawPeer>;
beforeAll(async () => {
  victim = Victim.start();
  await victim.serve();
  await victim.ask({ do: "warm up" });
});
afterAll(async () => await victim.stop());

beforeEach(async () => {
  nextPeer = Promise.withResolvers();
  server = createServer((socket) => nextPeer.resolve(new RawPeer(socket, PREFACE.length)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  (await nextPeer.promise).close();
  server.close();
});

/** Has the victim call with streams that it holds open; resolves when their heads have come. */
async function called(options: TransportOptions = {}): Promise<RawPeer> {
  await victim.ask({ do: "call", port: (server.address() as AddressInfo).port, streams: STREAMS, options });
  const peer = await nextPeer.promise;
  peer.send(settings());
  await peer.frame(({ type, id }) => type === FRAME.headers && id === STREAMS * 2 - 1);
  return peer;
}

/** @returns why the victim cut the server off, within the bounds; all streams of it have ended */
async function attacked(run: (peer: RawPeer) => Promise<void> | void, peer: RawPeer): Promise<CutOff> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  const before = await victim.state();
  peer.begin();
  await run(peer);
  const { afterMs } = await peer.ended;
  const after = await until("the streams have ended", async () => {
    const state = await victim.state();
    return state.streams === before.streams - STREAMS && state;
  });
  expect(afterMs).toBeLessThan(CUT_OFF_MS_MAX);
  expect(after.cpuMs - before.cpuMs).toBeLessThan(CPU_MS_MAX);
  expect(after.cutOffs.length).toBe(before.cutOffs.length + 1);
  return after.cutOffs.at(-1) as CutOff;
}

describe("floods", () => {
  test.each([
    { name: "SETTINGS", one: settings() },
    { name: "SETTINGS that let all streams go on and stop again", one: settings([SETTING.initialWindowSize, 0]) },
    { name: "PING", one: frame(FRAME.ping, 0, 0, Buffer.alloc(8)) },
    { name: "answers to no PING", one: frame(FRAME.ping, FLAG.ack, 0, Buffer.alloc(8)) },
    { name: "WINDOW_UPDATE", one: numberFrame(FRAME.windowUpdate, 1, 1) },
    { name: "empty DATA", one: frame(FRAME.data, 0, 1) },
    { name: "GOAWAY", one: frame(FRAME.goaway, 0, 0, Buffer.concat([uint32(0x7fffffff), uint32(0)])) },
    { name: "unknown frames", one: frame(0xbe, 0, 0) },
    { name: "PRIORITY", one: frame(FRAME.priority, 0, 1, Buffer.alloc(5)) },
    { name: "heads before the head, without end", one: frame(FRAME.headers, OPEN, 3, literal(":status", "103")) },
    { name: "resets of a stream that is over", one: numberFrame(FRAME.rstStream, 5, H2_ERROR.cancel) },
  ])("$name", async ({ one }) => {
    const peer = await called();
    peer.send(frame(FRAME.headers, OPEN, 1, ANSWER_HEAD));
    const round = times(FRAMES_A_ROUND, one);
    const cutOff = await attacked(async () => await peer.flood(() => round), peer);
    expect(cutOff.kind).toBe("control_flood");
  });

  test("heads on a stream that the client has reset", async () => {
    const peer = await called();
    peer.send(frame(FRAME.priority, 0, 1, Buffer.concat([uint32(1), Buffer.alloc(1)])));
    const round = times(FRAMES_A_ROUND, frame(FRAME.headers, OPEN, 1, ANSWER_HEAD));
    const before = await victim.state();
    await peer.flood(() => round);
    await peer.ended;
    await until("it is told", async () => (await victim.state()).cutOffs.length > before.cutOffs.length);
    expect((await victim.state()).cutOffs.at(-1)?.kind).toBe("control_flood");
  });
});

describe("what a server must not do", () => {
  const bomb = Buffer.concat([
    ANSWER_HEAD,
    literal("x", "y".repeat(4_000), true),
    times(8_000, integer(62, 0x7f, 0x80)),
  ]);

  test.each([
    { name: "push", kind: "protocol_error", bytes: frame(FRAME.pushPromise, OPEN, 1, Buffer.alloc(8)) },
    { name: "open a stream", kind: "protocol_error", bytes: frame(FRAME.headers, OPEN, 2, ANSWER_HEAD) },
    { name: "answer what nobody asked", kind: "protocol_error", bytes: frame(FRAME.headers, OPEN, 999, ANSWER_HEAD) },
    { name: "send DATA to nobody", kind: "protocol_error", bytes: frame(FRAME.data, 0, 999, Buffer.from("x")) },
    { name: "reset what is not open", kind: "protocol_error", bytes: numberFrame(FRAME.rstStream, 999, 0) },
    { name: "widen what is not open", kind: "protocol_error", bytes: numberFrame(FRAME.windowUpdate, 2, 1) },
    { name: "allow push", kind: "protocol_error", bytes: settings([SETTING.enablePush, 2]) },
    { name: "allow frames too small", kind: "protocol_error", bytes: settings([SETTING.maxFrameSize, 1]) },
    {
      name: "overflow the windows",
      kind: "flow_control_error",
      bytes: settings([SETTING.initialWindowSize, 2 ** 31]),
    },
    {
      name: "overflow the connection's window",
      kind: "flow_control_error",
      bytes: numberFrame(FRAME.windowUpdate, 0, 2 ** 31 - 1),
    },
    { name: "say GOAWAY in a word", kind: "frame_size_error", bytes: frame(FRAME.goaway, 0, 0, Buffer.alloc(4)) },
    {
      name: "send bad Huffman codes",
      kind: "compression_error",
      bytes: frame(FRAME.headers, OPEN, 1, huffman("x", Buffer.alloc(4, 0xff))),
    },
    {
      name: "send a header bomb",
      kind: "header_flood",
      bytes: frame(FRAME.headers, OPEN, 1, bomb.subarray(0, 16_384)),
    },
    {
      name: "send a header block without end",
      kind: "header_flood",
      bytes: Buffer.concat([frame(FRAME.headers, 0, 1, ANSWER_HEAD), times(100, frame(FRAME.continuation, 0, 1))]),
    },
  ])("$name", async ({ bytes, kind }) => {
    const peer = await called();
    const cutOff = await attacked(() => peer.send(bytes), peer);
    expect(cutOff.kind).toBe(kind);
  });
});

describe("a server that does nothing", () => {
  const TIMER_MS = 200;

  test("no SETTINGS", async () => {
    const before = await victim.state();
    const port = (server.address() as AddressInfo).port;
    await victim.ask({ do: "call", port, streams: STREAMS, options: { handshakeTimeoutMs: TIMER_MS } });
    const { afterMs } = await (await nextPeer.promise).ended;
    // Streams that were never sent are tried on some more connections, which fare alike.
    const after = await until("the streams have ended", async () => {
      const state = await victim.state();
      return state.streams === before.streams && state;
    });
    expect(afterMs).toBeLessThan(CUT_OFF_MS_MAX);
    const kinds = after.cutOffs.slice(before.cutOffs.length).map(({ kind }) => kind);
    // The bound is for one connection.
    expect((after.cpuMs - before.cpuMs) / kinds.length).toBeLessThan(CPU_MS_MAX);
    expect(new Set(kinds)).toEqual(new Set(["handshake_timeout"]));
  });

  test("no answer to a PING", async () => {
    const peer = await called({ keepaliveMs: TIMER_MS, keepaliveTimeoutMs: TIMER_MS });
    const cutOff = await attacked(() => undefined, peer);
    expect(cutOff.kind).toBe("keepalive_timeout");
  });
});

test.each([
  { name: "everything", last: 0, code: H2_ERROR.noError, refused: STREAMS },
  { name: "everything, by the id of no stream", last: 2, code: H2_ERROR.noError, refused: STREAMS - 1 },
  { name: "nothing, by an id that is to come", last: 2 ** 31 - 1, code: H2_ERROR.internal, refused: 0 },
])("a GOAWAY that refuses $name", async ({ last, code, refused }) => {
  const peer = await called();
  const before = await victim.state();
  const goaway = frame(FRAME.goaway, 0, 0, Buffer.concat([uint32(last), uint32(code)]));
  peer.send(goaway, frame(FRAME.goaway, 0, 0, Buffer.concat([uint32(2 ** 31 - 1), uint32(code)])));
  const after = await until("they are refused", async () => {
    const state = await victim.state();
    return state.ends.length === before.ends.length + refused && state;
  });
  expect(after.ends.slice(before.ends.length)).toEqual(Array.from({ length: refused }, () => H2_ERROR.refusedStream));
  peer.close();
  await until("all have ended", async () => (await victim.state()).ends.length === before.ends.length + STREAMS);
  expect((await victim.state()).cutOffs.length).toBe(before.cutOffs.length);
});

test("a server that takes one stream at a time is no slow reader of those that wait", async () => {
  const TIMER_MS = 100;
  const cutOffs: CutOff[] = [];
  const { port } = server.address() as AddressInfo;
  const client = createH2Transport().createClient(`127.0.0.1:${port}`, {
    stallTimeoutMs: TIMER_MS,
    onCutOff: (cutOff) => void cutOffs.push(cutOff),
  });
  const ends: number[] = [];
  const streams = [0, 1].map(() =>
    client.open({ method: "POST", path: "/", scheme: "http", authority: "a", headers: [] }, false, {
      onData() {},
      onEnd() {},
      onClose: (code) => void ends.push(code),
    }),
  );
  streams[1]?.send(Buffer.alloc(1_000), true);
  const peer = await nextPeer.promise;
  peer.send(settings([SETTING.maxConcurrentStreams, 1]));
  await new Promise((resolve) => setTimeout(resolve, TIMER_MS * 4));
  expect(cutOffs).toEqual([]);
  peer.send(frame(FRAME.headers, ENDED, 1, ANSWER_HEAD));
  streams[0]?.send(Buffer.alloc(0), true);
  await peer.frame(({ type, id }) => type === FRAME.headers && id === 3);
  await until("the body has come", () => peer.dataBytes === 1_000);
  expect(ends).toEqual([0]);
  await client.close();
});

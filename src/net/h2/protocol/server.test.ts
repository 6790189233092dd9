import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { frame, numberFrame, requestFields, settings } from "../../../../test/harness/h2-frames.ts";
import { answerHonestly, RawPeer, type ReceivedFrame } from "../../../../test/harness/h2-raw-peer.ts";
import { H2_ERROR, type StreamHandler, type TransportServer, type TransportStream } from "../transport.ts";
import { FLAG, FRAME, PREFACE, SETTING } from "./frames.ts";
import { createH2Transport } from "./transport.ts";

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const OK = { status: 200, headers: [] } as const;
const WINDOW_BYTES = 1_000_000;
const IGNORE: StreamHandler = { onData: () => undefined, onEnd: () => undefined, onClose: () => undefined };

/** A server, a client whose frames are written by hand, and the first stream between them, which `flags` may end. */
async function firstStream(
  flags: number,
  windowBytes = WINDOW_BYTES,
): Promise<{ server: TransportServer; peer: RawPeer; stream: TransportStream; streams: TransportStream[] }> {
  const streams: TransportStream[] = [];
  const opened = Promise.withResolvers<TransportStream>();
  const server = createH2Transport().createServer((stream) => {
    streams.push(stream);
    opened.resolve(stream);
    return IGNORE;
  });
  const listener = createServer((socket) => server.accept(socket));
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  cleanups.push(
    () => new Promise((resolve) => listener.close(resolve)),
    () => server.close(0),
  );
  const hello = Buffer.concat([
    Buffer.from(PREFACE, "latin1"),
    settings([SETTING.initialWindowSize, windowBytes]),
    numberFrame(FRAME.windowUpdate, 0, WINDOW_BYTES),
  ]);
  const peer = await RawPeer.connect((listener.address() as AddressInfo).port, hello);
  answerHonestly(peer);
  peer.send(frame(FRAME.headers, FLAG.endHeaders | flags, 1, requestFields("/")));
  return { server, peer, stream: await opened.promise, streams };
}

function ends({ type, flags, id }: ReceivedFrame): boolean {
  return id === 1 && (type === FRAME.headers || type === FRAME.data) && (flags & FLAG.endStream) !== 0;
}

test("the last answer goes out whole before a drained connection closes", async () => {
  const { server, peer, stream } = await firstStream(FLAG.endStream);
  const closed = server.close(10_000);
  await peer.frame(({ type, payload }) => type === FRAME.goaway && payload.readUInt32BE() === 1);
  stream.respond(OK, false);
  // So much is written at once that the socket wants no more: the trailers wait behind it.
  for (let i = 0; i < 4; i += 1) stream.send(Buffer.alloc(16_384), false);
  stream.sendTrailers(["grpc-status", "0"]);
  await peer.frame(ends);
  expect(peer.dataBytes).toBe(65_536);
  await closed;
});

test.each(["trailers", "data"])(
  "a reset that is no error follows what was sent, its end in %s included",
  async (end) => {
    const { peer, stream } = await firstStream(0, 1_000);
    stream.respond(OK, false);
    stream.send(Buffer.alloc(10_000), end === "data");
    if (end === "trailers") stream.sendTrailers(["grpc-status", "0"]);
    stream.reset(H2_ERROR.noError);
    let sawEnd = false;
    peer.onFrame = (one) => (sawEnd ||= ends(one));
    peer.send(numberFrame(FRAME.windowUpdate, 1, 9_000));
    const reset = await peer.frame(({ type }) => type === FRAME.rstStream);
    expect(reset.payload.readUInt32BE()).toBe(H2_ERROR.noError);
    expect(peer.dataBytes).toBe(10_000);
    expect(sawEnd).toBe(true);
  },
);

test("without an end of its own the reset is the end", async () => {
  const { peer, stream } = await firstStream(0, 1_000);
  stream.respond(OK, false);
  stream.send(Buffer.alloc(10_000), false);
  stream.reset(H2_ERROR.noError);
  let sawEnd = false;
  peer.onFrame = (one) => (sawEnd ||= ends(one));
  peer.send(numberFrame(FRAME.windowUpdate, 1, 9_000));
  await peer.frame(({ type }) => type === FRAME.rstStream);
  expect(peer.dataBytes).toBe(10_000);
  expect(sawEnd).toBe(false);
});

test("no reset behind an exchange that is complete", async () => {
  const { peer, stream } = await firstStream(FLAG.endStream);
  stream.respond(OK, true);
  stream.reset(H2_ERROR.noError);
  await peer.frame(ends);
  peer.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
  await peer.frame(({ type, flags }) => type === FRAME.ping && flags === FLAG.ack);
  expect(peer.frames.some(({ type }) => type === FRAME.rstStream)).toBe(false);
});

test("streams that come before the client can know of the end are served", async () => {
  const { server, peer, streams } = await firstStream(FLAG.endStream);
  peer.onFrame = undefined;
  const closed = server.close(10_000);
  const first = await peer.frame(({ type }) => type === FRAME.goaway);
  expect(first.payload.readUInt32BE()).toBe(2 ** 31 - 1);
  const { payload } = await peer.frame(({ type, flags }) => type === FRAME.ping && flags === 0);
  peer.send(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 3, requestFields("/")));
  peer.send(frame(FRAME.ping, FLAG.ack, 0, payload));
  await peer.frame((one) => one.type === FRAME.goaway && one.payload.readUInt32BE() === 3);
  for (const stream of streams) stream.respond(OK, true);
  await peer.frame(({ type, id }) => type === FRAME.headers && id === 3);
  await closed;
});

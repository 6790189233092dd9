import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { FLAG, FRAME, SETTING } from "../../src/net/h2/protocol/frames.ts";
import { STREAM_WINDOW_BYTES } from "../../src/net/h2/limits.ts";
import { H2_ERROR } from "../../src/net/h2/transport.ts";
import { frame, numberFrame, requestFields, settings } from "../harness/h2-frames.ts";
import { RawPeer, type ReceivedFrame } from "../harness/h2-raw-peer.ts";
import { until } from "../harness/until.ts";
import { Victim } from "./victim.ts";

// What looks like an attack when only its frames are counted, and is none.

let victim: Victim;
beforeAll(async () => {
  victim = Victim.start();
  await victim.serve();
});
afterAll(async () => await victim.stop());

let peer: RawPeer;
afterEach(async () => {
  peer.close();
  expect((await victim.state()).cutOffs).toEqual([]);
});

const ENDED = FLAG.endHeaders | FLAG.endStream;
const ping = frame(FRAME.ping, 0, 0, Buffer.alloc(8));

function isEnd({ type, flags }: ReceivedFrame): boolean {
  return type === FRAME.headers && (flags & FLAG.endStream) !== 0;
}

test("a PING for every frame of a large upload, as those who measure their bandwidth send", async () => {
  const chunk = Buffer.alloc(16_384);
  const credit = { connection: 65_535, stream: STREAM_WINDOW_BYTES };
  let left = 3_000;
  peer = await RawPeer.connect(victim.port);
  const sendMore = (): void => {
    for (; left > 0 && Math.min(credit.connection, credit.stream) >= chunk.length; left -= 1) {
      credit.connection -= chunk.length;
      credit.stream -= chunk.length;
      peer.send(frame(FRAME.data, left === 1 ? FLAG.endStream : 0, 1, chunk), ping);
    }
  };
  let answered = false;
  peer.onFrame = (one) => {
    if (isEnd(one)) answered = true;
    if (one.type !== FRAME.windowUpdate) return;
    credit[one.id === 0 ? "connection" : "stream"] += one.payload.readUInt32BE(0);
    sendMore();
  };
  peer.send(frame(FRAME.headers, FLAG.endHeaders, 1, requestFields("/upload")));
  sendMore();
  await until("the answer has come", () => peer.over || answered);
  expect(peer.over).toBe(false);
});

test("two window updates and a PING for every small message", async () => {
  const messages = 20_000;
  let come = 0;
  peer = await RawPeer.connect(victim.port);
  const message = Buffer.alloc(100);
  const sendOne = (): void => peer.send(frame(FRAME.data, 0, 1, message));
  peer.onFrame = ({ type, payload }) => {
    if (type !== FRAME.data) return;
    come += payload.length / message.length;
    peer.send(
      numberFrame(FRAME.windowUpdate, 0, payload.length),
      numberFrame(FRAME.windowUpdate, 1, payload.length),
      ping,
    );
    if (come < messages) sendOne();
  };
  peer.send(frame(FRAME.headers, FLAG.endHeaders, 1, requestFields("/echo")));
  for (let i = 0; i < 16; i += 1) sendOne();
  await until("all have come back", () => peer.over || come >= messages);
  expect(peer.over).toBe(false);
});

test("window updates for every frame of large downloads", async () => {
  const bytes = 4_000_000;
  const count = 16;
  peer = await RawPeer.connect(victim.port);
  peer.onFrame = ({ type, id, payload }) => {
    if (type !== FRAME.data || payload.length === 0) return;
    peer.send(numberFrame(FRAME.windowUpdate, 0, payload.length), numberFrame(FRAME.windowUpdate, id, payload.length));
  };
  for (let i = 0; i < count; i += 1)
    peer.send(frame(FRAME.headers, ENDED, i * 2 + 1, requestFields(`/large/${bytes}`)));
  await until("all has come", () => peer.over || peer.dataBytes === count * bytes);
  expect(peer.over).toBe(false);
});

test("10,000 short streams, and a change of the windows now and then", async () => {
  const streams = 10_000;
  let opened = 0;
  let ended = 0;
  peer = await RawPeer.connect(victim.port);
  const open = (): void => {
    peer.send(frame(FRAME.headers, ENDED, opened * 2 + 1, requestFields("/")));
    opened += 1;
    if (opened % 1_000 === 0) peer.send(settings([SETTING.initialWindowSize, 65_535 + opened]));
  };
  peer.onFrame = (one) => {
    if (one.type === FRAME.data && one.payload.length > 0) {
      peer.send(numberFrame(FRAME.windowUpdate, 0, one.payload.length));
    }
    if (!isEnd(one)) return;
    ended += 1;
    if (opened < streams) open();
  };
  for (let i = 0; i < 100; i += 1) open();
  await until("all are answered", () => peer.over || ended === streams);
  expect(peer.over).toBe(false);
});

test("hundreds of calls that are given up at once, again and again after they have lived a while", async () => {
  const calls = 800;
  const livesMs = 2_500;
  peer = await RawPeer.connect(victim.port);
  for (let round = 0; round < 3; round += 1) {
    const ids = Array.from({ length: calls }, (_, i) => (round * calls + i) * 2 + 1);
    peer.send(...ids.map((id) => frame(FRAME.headers, ENDED, id, requestFields("/silent"))));
    await new Promise((resolve) => setTimeout(resolve, livesMs));
    peer.send(...ids.map((id) => numberFrame(FRAME.rstStream, id, H2_ERROR.cancel)));
  }
  peer.send(frame(FRAME.headers, ENDED, 3 * calls * 2 + 1, requestFields("/")));
  await peer.frame(isEnd);
});

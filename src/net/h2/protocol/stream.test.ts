import { expect, test } from "vitest";
import { StreamOwnerDouble } from "../../../../test/harness/h2-stream-owner.ts";
import { SEND_BUFFER_BYTES } from "../limits.ts";
import type { StreamHandler } from "../transport.ts";
import { FRAME } from "./frames.ts";
import type { H2Stream } from "./stream.ts";

const WINDOW_BYTES = 10_000;

/** A stream with room for so many bytes, and what its handler was told. */
function scene(sendWindow = WINDOW_BYTES): { owner: StreamOwnerDouble; stream: H2Stream; told: string[] } {
  const owner = new StreamOwnerDouble();
  const told: string[] = [];
  const handler: StreamHandler = {
    onData: (chunk) => told.push(`data ${Buffer.from(chunk).toString()}`),
    onTrailers: (trailers) => told.push(`trailers ${trailers.join("=")}`),
    onEnd: () => told.push("end"),
    onDrain: () => told.push("drain"),
    onClose: (code) => told.push(`close ${code}`),
  };
  return { owner, stream: owner.stream(1, sendWindow, handler), told };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a stream is over when both ends have ended it, and hears of it last", () => {
  const { stream, told } = scene();
  stream.respond({ status: 200, headers: [] }, true);
  stream.gotData(Buffer.from("a"));
  stream.gotTrailers(["x", "1"]);
  stream.gotEnd();
  expect(told).toEqual(["data a", "trailers x=1", "end", "close 0"]);
});

test("what is sent beyond the window waits, and more than the send buffer asks for a pause", () => {
  const { owner, stream, told } = scene(5);
  owner.turns.widen(SEND_BUFFER_BYTES);
  expect(stream.send(Buffer.alloc(8), false)).toBe(true);
  expect(stream.send(Buffer.alloc(SEND_BUFFER_BYTES), false)).toBe(false);
  expect(owner.sent()).toEqual([[1, 5, false]]);
  stream.sendWindow = SEND_BUFFER_BYTES;
  owner.turns.reconsider(stream);
  expect([told, owner.turns.queuedBytes]).toEqual([[], 3]);
  stream.sendWindow = 3;
  owner.turns.reconsider(stream);
  expect([told, owner.turns.queuedBytes]).toEqual([["drain"], 0]);
});

test("trailers wait for what was sent before them", () => {
  const { owner, stream } = scene(0);
  stream.send(Buffer.from("ab"), false);
  stream.sendTrailers([]);
  expect(owner.sent()).toEqual([]);
  stream.sendWindow = 2;
  owner.turns.reconsider(stream);
  expect(owner.sent()).toEqual([
    [1, 2, false],
    [1, 0, true],
  ]);
});

test("after the end nothing is sent", () => {
  const { owner, stream } = scene();
  stream.send(Buffer.from("a"), true);
  stream.send(Buffer.from("b"), false);
  stream.sendTrailers([]);
  expect(owner.sent()).toEqual([[1, 1, true]]);
});

test("a held stream keeps what comes, whatever becomes of the buffer, and tells it in order", () => {
  const { stream, told } = scene();
  const page = Buffer.alloc(64 * 1024, "ab");
  stream.hold();
  for (let i = 0; i < 3; i += 1) stream.gotData(page.subarray(i, i + 1));
  stream.gotTrailers(["x", "1"]);
  stream.gotEnd();
  page.fill(0);
  expect(told).toEqual([]);
  stream.resume();
  expect(told).toEqual(["data aba", "trailers x=1", "end"]);
});

test("a stream may be held again while it is told what it missed", () => {
  const owner = new StreamOwnerDouble();
  const told: string[] = [];
  const stream = owner.stream(1, WINDOW_BYTES, {
    onData(chunk) {
      told.push(Buffer.from(chunk).toString());
      stream.hold();
    },
    onEnd: () => told.push("end"),
    onClose: () => told.push("close"),
  });
  stream.hold();
  for (const text of ["a", "b"]) stream.gotData(Buffer.alloc(8_192, text));
  stream.gotEnd();
  stream.resume();
  expect(told).toEqual(["a".repeat(8_192)]);
  stream.resume();
  expect(told).toEqual(["a".repeat(8_192), "b".repeat(8_192), "end"]);
});

test("a whole answer is not taken away by what happens before its reader has it", () => {
  const { stream, told } = scene();
  stream.headReceived = true;
  stream.hold();
  stream.gotData(Buffer.from("a"));
  stream.gotEnd();
  stream.finish(-1);
  expect(told).toEqual([]);
  stream.resume();
  expect(told).toEqual(["data a", "end", "close 0"]);
});

test("the end is told once, whoever brings it", async () => {
  const { stream, told } = scene();
  stream.reset(8);
  expect(told).toEqual([]);
  stream.reset(2);
  stream.finish(-1);
  stream.finishLater(5);
  await turn();
  expect(told).toEqual(["close 8"]);
});

test("a reset that is no error lets out what was sent before, without an end that it has not", async () => {
  const { owner, stream, told } = scene(0);
  stream.send(Buffer.from("ab"), false);
  stream.reset(0);
  expect(owner.sink.take()).toEqual([]);
  stream.sendWindow = 2;
  owner.turns.reconsider(stream);
  const frames = owner.sink.take().map(({ type, flags, payload }) => [type, flags, payload.length]);
  expect(frames).toEqual([
    [FRAME.data, 0, 2],
    [FRAME.rstStream, 0, 4],
  ]);
  await turn();
  expect(told).toEqual(["close 0"]);
});

test("what waits in a stream that ends is forgotten", () => {
  const { owner, stream } = scene(0);
  stream.send(Buffer.alloc(10), false);
  stream.finish(8);
  expect(owner.turns.queuedBytes).toBe(0);
});

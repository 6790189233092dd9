import { expect, test } from "vitest";
import { frame } from "../../../../test/harness/h2-frames.ts";
import { type FrameHandler, FrameReader } from "./frame-reader.ts";
import { FLAG, FRAME } from "./frames.ts";

const IGNORE: FrameHandler = { onDataStart() {}, onDataChunk() {}, onDataEnd() {}, onFrame() {} };

test.each([
  ["a frame of 16,385 bytes", frame(FRAME.headers, 0, 1, Buffer.alloc(16_385)), "frame_size_error"],
  ["DATA of as many", frame(FRAME.data, 0, 1, Buffer.alloc(16_385)), "frame_size_error"],
  ["padded DATA without a byte", frame(FRAME.data, FLAG.padded, 1), "frame_size_error"],
  ["padding as long as its frame", frame(FRAME.data, FLAG.padded, 1, Buffer.from([3, 0, 0])), "protocol_error"],
])("%s ends the connection", (_, bytes, kind) => {
  expect(() => new FrameReader(IGNORE).push(bytes)).toThrow(expect.objectContaining({ kind }));
  expect(() => {
    const reader = new FrameReader(IGNORE);
    for (const byte of bytes) reader.push(Buffer.from([byte]));
  }).toThrow(expect.objectContaining({ kind }));
});

test("what is unfinished has a number of its own; DATA may take its time", () => {
  const reader = new FrameReader(IGNORE);
  const ping = frame(FRAME.ping, 0, 0, Buffer.alloc(8));
  reader.push(ping.subarray(0, 3));
  const first = reader.unfinished;
  reader.push(ping.subarray(3, 12));
  expect([first > 0, reader.unfinished]).toEqual([true, first]);
  reader.push(Buffer.concat([ping.subarray(12), ping.subarray(0, 12)]));
  expect(reader.unfinished).toBe(first + 1);
  reader.push(ping.subarray(12));
  expect(reader.unfinished).toBe(0);
  reader.push(frame(FRAME.data, 0, 1, Buffer.alloc(10)).subarray(0, 12));
  expect(reader.unfinished).toBe(0);
});

test("DATA is handed on without a copy", () => {
  const chunks: Buffer[] = [];
  const reader = new FrameReader({ ...IGNORE, onDataChunk: (_, chunk) => chunks.push(chunk) });
  const bytes = frame(FRAME.data, 0, 1, Buffer.from("abc"));
  reader.push(bytes);
  bytes.fill(0x78);
  expect(chunks.map(String)).toEqual(["xxx"]);
});

import { expect, test } from "vitest";
import { FrameSink } from "../../../../test/harness/h2-sink.ts";
import { FLAG, FRAME, FRAME_PAYLOAD_BYTES } from "./frames.ts";

test("a header block goes on in CONTINUATION, with its end and its stream's in the right frames", () => {
  const sink = new FrameSink();
  const block = Buffer.alloc(FRAME_PAYLOAD_BYTES * 2 + 1, "x");
  sink.writer.headers(3, block, true);
  const frames = sink.take();
  expect(frames.map(({ type, flags, id, payload }) => [type, flags, id, payload.length])).toEqual([
    [FRAME.headers, FLAG.endStream, 3, FRAME_PAYLOAD_BYTES],
    [FRAME.continuation, 0, 3, FRAME_PAYLOAD_BYTES],
    [FRAME.continuation, FLAG.endHeaders, 3, 1],
  ]);
  expect(Buffer.concat(frames.map(({ payload }) => payload))).toEqual(block);
});

test.each([0, 1, FRAME_PAYLOAD_BYTES])("a header block of %d bytes is one frame", (length) => {
  const sink = new FrameSink();
  sink.writer.headers(1, Buffer.alloc(length), false);
  expect(sink.take()).toEqual([{ type: FRAME.headers, flags: FLAG.endHeaders, id: 1, payload: Buffer.alloc(length) }]);
});

test("DATA is a part of what is handed over, small or large", () => {
  const sink = new FrameSink();
  const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251));
  sink.writer.data(1, bytes, 10, 20, false);
  sink.writer.data(1, bytes, 20, 9_000, false);
  sink.writer.data(1, bytes, 0, 0, true);
  expect(sink.take()).toEqual([
    { type: FRAME.data, flags: 0, id: 1, payload: bytes.subarray(10, 20) },
    { type: FRAME.data, flags: 0, id: 1, payload: bytes.subarray(20, 9_000) },
    { type: FRAME.data, flags: FLAG.endStream, id: 1, payload: Buffer.alloc(0) },
  ]);
});

test("the frames of the connection itself", () => {
  const sink = new FrameSink();
  sink.writer.settings([[3, 0x01020304]]);
  sink.writer.settingsAck();
  sink.writer.reset(0x01020304, 8);
  sink.writer.windowUpdate(0, 0x7fffffff);
  sink.writer.goaway(7, 11, "r".repeat(300));
  const frame = (type: number, flags: number, id: number, hex: string): object => ({
    type,
    flags,
    id,
    payload: Buffer.from(hex, "hex"),
  });
  expect(sink.take()).toEqual([
    frame(FRAME.settings, 0, 0, "000301020304"),
    frame(FRAME.settings, FLAG.ack, 0, ""),
    frame(FRAME.rstStream, 0, 0x01020304, "00000008"),
    frame(FRAME.windowUpdate, 0, 0, "7fffffff"),
    frame(FRAME.goaway, 0, 0, `000000070000000b${"72".repeat(200)}`),
  ]);
});

import { expect, test } from "vitest";
import { FrameSink } from "../../../../test/harness/h2-sink.ts";
import { FLAG, FRAME } from "./frames.ts";
import { HeadSender } from "./head-sender.ts";
import { HpackEncoder, staticIndex } from "./hpack/encoder.ts";
import { PeerSettings } from "./peer-settings.ts";
import { StreamTable } from "./stream-table.ts";

function scene(): { sender: HeadSender; peerSettings: PeerSettings; sink: FrameSink } {
  const sink = new FrameSink();
  const encoder = new HpackEncoder(staticIndex());
  const peerSettings = new PeerSettings(32, encoder, new StreamTable());
  return { sender: new HeadSender(encoder, sink.writer, peerSettings), peerSettings, sink };
}

test("trailers without a field are an empty block, which ends the stream", () => {
  const { sender, sink } = scene();
  expect(sender.trailers(5, [])).toBe(true);
  expect(sink.take()).toEqual([
    { type: FRAME.headers, flags: FLAG.endHeaders | FLAG.endStream, id: 5, payload: Buffer.alloc(0) },
  ]);
});

test("a head over the peer's limit is not sent, and leaves no trace", () => {
  const { sender, peerSettings, sink } = scene();
  const headers = ["x-a", "12345", "x-b", ""];
  peerSettings.headerBytesMax = 3 + 5 + 3 + 2 * 32;
  expect(sender.response(1, { status: 200, headers }, true)).toBe(true);
  peerSettings.headerBytesMax -= 1;
  sink.take();
  expect(sender.response(1, { status: 200, headers }, true)).toBe(false);
  expect(sender.trailers(1, headers)).toBe(false);
  expect(sender.request(1, { method: "GET", path: "/", scheme: "http", authority: "", headers }, true)).toBe(false);
  expect(sink.take()).toEqual([]);
});

test.each([
  ["a value with a line break", ["x-a", "1\r\nx-b: 2"]],
  ["a value beyond latin-1", ["x-a", "\u{1f600}"]],
  ["a name in upper case", ["X-A", "1"]],
  ["a name of HTTP/1.1", ["connection", "close"]],
])("%s is not sent", (_, headers) => {
  const { sender, sink } = scene();
  expect(sender.response(1, { status: 200, headers }, false)).toBe(false);
  expect(sink.take()).toEqual([]);
});

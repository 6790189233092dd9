import { expect, test } from "vitest";
import { settings } from "../../../../test/harness/h2-frames.ts";
import { SETTING, WINDOW_BYTES_DEFAULT, WINDOW_BYTES_LIMIT } from "./frames.ts";
import { HpackEncoder, staticIndex } from "./hpack/encoder.ts";
import { PeerSettings } from "./peer-settings.ts";
import { StreamTable } from "./stream-table.ts";
import type { H2Stream } from "./stream.ts";

const ENTRIES_MAX = 4;

function scene(): { peer: PeerSettings; streams: StreamTable; encoder: HpackEncoder } {
  const streams = new StreamTable();
  const encoder = new HpackEncoder(staticIndex());
  return { peer: new PeerSettings(ENTRIES_MAX, encoder, streams), streams, encoder };
}

function read(peer: PeerSettings, ...entries: (readonly [setting: number, value: number])[]): void {
  const bytes = settings(...entries);
  peer.read(bytes, 9, bytes.length);
}

function openStream(streams: StreamTable, id: number, sendWindow: number): H2Stream {
  const stream = { id, sendWindow, nextInSlot: undefined } as H2Stream;
  streams.add(stream);
  return stream;
}

test("what they do not name has no limit", () => {
  const { peer } = scene();
  peer.streamsMax = 1;
  read(peer);
  expect(peer).toMatchObject({
    received: true,
    streamsMax: Number.POSITIVE_INFINITY,
    headerBytesMax: Number.POSITIVE_INFINITY,
    initialWindow: WINDOW_BYTES_DEFAULT,
  });
});

test("later ones leave what they do not name", () => {
  const { peer } = scene();
  read(peer, [SETTING.maxConcurrentStreams, 7], [SETTING.maxHeaderListSize, 100], [0xff, 1]);
  read(peer, [SETTING.initialWindowSize, 5], [SETTING.maxFrameSize, 20_000], [SETTING.enablePush, 0]);
  expect(peer).toMatchObject({ streamsMax: 7, headerBytesMax: 100, initialWindow: 5 });
});

test("windows of open streams move by the difference, below zero if need be", () => {
  const { peer, streams } = scene();
  const fresh = openStream(streams, 1, WINDOW_BYTES_DEFAULT);
  const used = openStream(streams, 3, 10);
  read(peer, [SETTING.initialWindowSize, 1_000]);
  expect([fresh.sendWindow, used.sendWindow]).toEqual([1_000, 1_010 - WINDOW_BYTES_DEFAULT]);
});

test("the header table follows", () => {
  const { peer, encoder } = scene();
  read(peer, [SETTING.headerTableSize, 100]);
  expect(encoder.response(200, []).toString("hex")).toBe("3f4588");
});

test.each([
  ["ENABLE_PUSH of 2", [SETTING.enablePush, 2], "protocol_error"],
  ["a window of 2^31", [SETTING.initialWindowSize, WINDOW_BYTES_LIMIT + 1], "flow_control_error"],
  ["frames of 16,383 bytes", [SETTING.maxFrameSize, 16_383], "protocol_error"],
  ["frames of 2^24 bytes", [SETTING.maxFrameSize, 2 ** 24], "protocol_error"],
] as const)("%s ends the connection", (_, entry, kind) => {
  expect(() => read(scene().peer, entry)).toThrow(expect.objectContaining({ kind }));
});

test("a change that overflows an open stream's window ends the connection", () => {
  const { peer, streams } = scene();
  openStream(streams, 1, WINDOW_BYTES_LIMIT - 10);
  expect(() => read(peer, [SETTING.initialWindowSize, WINDOW_BYTES_DEFAULT + 11])).toThrow(
    expect.objectContaining({ kind: "flow_control_error" }),
  );
});

test("neither an odd length nor too many entries are taken", () => {
  const { peer } = scene();
  expect(() => peer.read(Buffer.alloc(7), 0, 7)).toThrow(expect.objectContaining({ kind: "frame_size_error" }));
  expect(() => peer.read(Buffer.alloc(30), 0, 30)).toThrow(expect.objectContaining({ kind: "control_flood" }));
});

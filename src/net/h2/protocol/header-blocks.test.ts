import { expect, test } from "vitest";
import { literal, requestFields, uint32 } from "../../../../test/harness/h2-frames.ts";
import { FRAME_PAYLOAD_BYTES, FLAG } from "./frames.ts";
import { resolveTransportOptions } from "../limits.ts";
import { HeaderBlocks } from "./header-blocks.ts";
import { HuffmanDecoder } from "./hpack/huffman.ts";

const OPTIONS = resolveTransportOptions({ continuationsMax: 3, headerBytesMax: 1_000 });
const BLOCK = Buffer.concat([requestFields("/p"), literal("x-a", "1")]);

function blocks(): HeaderBlocks {
  return new HeaderBlocks(OPTIONS, new HuffmanDecoder());
}

test("one frame is a head", () => {
  const one = blocks();
  const head = one.begin(FLAG.endHeaders | FLAG.endStream, 1, BLOCK, 0, BLOCK.length);
  expect(head).toMatchObject({ request: { path: "/p", headers: ["x-a", "1"] }, fault: "" });
  expect(one).toMatchObject({ openId: 0, endStream: true, bytes: BLOCK.length });
});

test("several frames are the same head; END_STREAM is the first one's", () => {
  const one = blocks();
  expect(one.begin(FLAG.endStream, 3, BLOCK, 0, 4)).toBeUndefined();
  expect(one.openId).toBe(3);
  expect(one.append(0, BLOCK, 4, 9)).toBeUndefined();
  const head = one.append(FLAG.endHeaders, BLOCK, 9, BLOCK.length);
  expect(head).toMatchObject({ request: { path: "/p", headers: ["x-a", "1"] }, fault: "" });
  expect(one).toMatchObject({ openId: 0, endStream: true, bytes: BLOCK.length });
  one.begin(FLAG.endHeaders, 5, BLOCK, 0, BLOCK.length);
  expect(one.endStream).toBe(false);
});

test("parts are kept as they were, whatever becomes of their buffer", () => {
  const one = blocks();
  const buffer = Buffer.from(BLOCK);
  one.begin(0, 1, buffer, 0, buffer.length);
  buffer.fill(0xff);
  expect(one.append(FLAG.endHeaders, buffer, 0, 0)?.request?.path).toBe("/p");
});

test("padding and priority are taken off", () => {
  const payload = Buffer.concat([Buffer.from([2]), uint32(7), Buffer.from([16]), BLOCK, Buffer.from([0xff, 0xff])]);
  const flags = FLAG.endHeaders | FLAG.padded | FLAG.priority;
  expect(blocks().begin(flags, 1, payload, 0, payload.length)).toMatchObject({ request: { path: "/p" }, fault: "" });
});

test("a stream that depends on itself is malformed, in one frame or several", () => {
  const payload = Buffer.concat([uint32(0x80000003), Buffer.from([16]), BLOCK]);
  const whole = blocks().begin(FLAG.endHeaders | FLAG.priority, 3, payload, 0, payload.length);
  expect(whole?.fault).toBe("malformed");
  const parts = blocks();
  parts.begin(FLAG.priority, 3, payload, 0, payload.length);
  expect(parts.append(FLAG.endHeaders, BLOCK, 0, 0)?.fault).toBe("malformed");
  expect(parts.begin(FLAG.endHeaders, 5, BLOCK, 0, BLOCK.length)?.fault).toBe("");
});

test.each([
  ["stream 0", FLAG.endHeaders, 0, [], "protocol_error"],
  ["no room for the padding's length", FLAG.endHeaders | FLAG.padded, 1, [], "frame_size_error"],
  ["more padding than frame", FLAG.endHeaders | FLAG.padded, 1, [2, 0], "protocol_error"],
  ["no room for the priority", FLAG.endHeaders | FLAG.priority, 1, [0, 0, 0, 0], "frame_size_error"],
  [
    "padding over the priority",
    FLAG.endHeaders | FLAG.priority | FLAG.padded,
    1,
    [2, 0, 0, 0, 0, 0, 0],
    "frame_size_error",
  ],
])("%s ends the connection", (_, flags, id, bytes, kind) => {
  const payload = Buffer.from(bytes);
  expect(() => blocks().begin(flags, id, payload, 0, payload.length)).toThrow(expect.objectContaining({ kind }));
});

test("CONTINUATION needs a beginning", () => {
  expect(() => blocks().append(FLAG.endHeaders, BLOCK, 0, 1)).toThrow("CONTINUATION without a header block");
});

test("a block may have so many frames and bytes, whether they say anything or not", () => {
  const dust = blocks();
  dust.begin(0, 1, BLOCK, 0, 1);
  for (let i = 0; i < OPTIONS.continuationsMax; i += 1) dust.append(0, BLOCK, 0, 0);
  expect(() => dust.append(0, BLOCK, 0, 0)).toThrow(expect.objectContaining({ kind: "header_flood" }));
  const large = blocks();
  const full = Buffer.alloc(FRAME_PAYLOAD_BYTES);
  large.begin(0, 1, full, 0, full.length);
  large.append(0, full, 0, OPTIONS.headerBytesMax);
  expect(() => large.append(0, full, 0, 1)).toThrow(expect.objectContaining({ kind: "header_flood" }));
});

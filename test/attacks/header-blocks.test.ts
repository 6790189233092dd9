import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLAG, FRAME } from "../../src/net/h2/protocol/frames.ts";
import { frame, huffman, integer, literal, requestFields, times } from "../harness/h2-frames.ts";
import { attack } from "./attack.ts";
import { Victim } from "./victim.ts";

let victim: Victim;
beforeAll(async () => {
  victim = Victim.start();
  await victim.serve();
});
afterAll(async () => await victim.stop());

const ENDED = FLAG.endHeaders | FLAG.endStream;
const FRAME_BYTES = 16_384;
const SILENT = requestFields("/silent");

/** A request whose header block needs as many frames as it needs. */
function request(id: number, block: Buffer): Buffer {
  const frames = [];
  for (let at = 0; at < block.length; at += FRAME_BYTES) {
    const last = at + FRAME_BYTES >= block.length ? FLAG.endHeaders : 0;
    const first = at === 0;
    const flags = last | (first ? FLAG.endStream : 0);
    frames.push(frame(first ? FRAME.headers : FRAME.continuation, flags, id, block.subarray(at, at + FRAME_BYTES)));
  }
  return Buffer.concat(frames);
}

/** A request in each round, with the same fields after its first ones. */
function requests(...fields: readonly Buffer[]): (round: number) => Buffer {
  const block = Buffer.concat([SILENT, ...fields]);
  return (round) => request(round * 2 + 1, block);
}

describe("CONTINUATION", () => {
  const begin = frame(FRAME.headers, FLAG.endStream, 1, SILENT);

  test.each([
    { name: "empty ones without end", one: frame(FRAME.continuation, 0, 1) },
    { name: "small ones without end (CVE-2024-27316)", one: frame(FRAME.continuation, 0, 1, literal("a", "b")) },
    { name: "large ones without end", one: frame(FRAME.continuation, 0, 1, literal("a", "b".repeat(16_000))) },
  ])("$name", async ({ one }) => {
    const { cutOff } = await attack(victim, {
      prepare: (peer) => peer.send(begin),
      run: async (peer) => await peer.flood(() => times(10, one)),
    });
    expect(cutOff.kind).toBe("header_flood");
  });

  test.each([
    { name: "one for no header block", bytes: frame(FRAME.continuation, FLAG.endHeaders, 1) },
    { name: "one of another stream", bytes: Buffer.concat([begin, frame(FRAME.continuation, 0, 3)]) },
    { name: "another frame in between", bytes: Buffer.concat([begin, frame(FRAME.ping, 0, 0, Buffer.alloc(8))]) },
  ])("$name", async ({ bytes }) => {
    const { cutOff, ending } = await attack(victim, { run: (peer) => peer.send(bytes) });
    expect(cutOff.kind).toBe("protocol_error");
    expect(ending.code).toBe(cutOff.code);
  });
});

describe("header bombs", () => {
  const entry = literal("x", "y".repeat(4_000), true);
  const newest = integer(62, 0x7f, 0x80);

  test("8,000 references to one large header", async () => {
    const { cutOff } = await attack(victim, {
      prepare: (peer) => peer.send(request(1, Buffer.concat([SILENT, entry]))),
      run: async (peer) =>
        await peer.flood((round) => request(round * 2 + 3, Buffer.concat([SILENT, times(8_000, newest)]))),
    });
    expect(cutOff.kind).toBe("header_flood");
  });

  test.each([
    { name: "8,000 references to a small header", next: requests(times(8_000, Buffer.from([0x90]))) },
    { name: "as many references as a head may have bytes", next: requests(times(1_000, Buffer.from([0x90]))) },
    { name: "heads a little too large, again and again", next: requests(literal("x", "y".repeat(70_000))) },
    { name: "heads far too large", next: requests(times(40, literal("x", "y".repeat(16_000)))) },
    {
      name: "an HPACK table that every field empties",
      next: requests(times(20, literal("x", "y".repeat(4_000), true))),
    },
    { name: "an HPACK table that small fields thrash", next: requests(times(8_000, literal("", "", true))) },
  ])("$name", async ({ next }) => {
    const { cutOff } = await attack(victim, { run: async (peer) => await peer.flood(next) });
    expect(cutOff.kind).toBe("header_flood");
  });

  test("trailers far too large on many streams", async () => {
    const head = (id: number) => frame(FRAME.headers, FLAG.endHeaders, id, SILENT);
    const trailers = literal("x", "y".repeat(70_000));
    const { cutOff } = await attack(victim, {
      run: async (peer) =>
        await peer.flood((round) => Buffer.concat([head(round * 2 + 1), request(round * 2 + 1, trailers)])),
    });
    expect(cutOff.kind).toBe("header_flood");
  });
});

describe("HPACK that is none", () => {
  test.each([
    { name: "an end of string within a Huffman code", block: huffman("x", Buffer.alloc(4, 0xff)) },
    { name: "padding that is not ones", block: huffman("x", Buffer.from([0x00])) },
    { name: "padding longer than a byte", block: huffman("x", Buffer.from([0x1f, 0xff, 0xff])) },
    { name: "an index beyond the table", block: integer(200, 0x7f, 0x80) },
    { name: "index 0", block: Buffer.from([0x80]) },
    { name: "an integer without end", block: Buffer.alloc(64, 0xff) },
    { name: "a string longer than the block", block: Buffer.from([0x00, 0x7e, 0x61]) },
    { name: "a table larger than allowed", block: integer(4_097, 0x1f, 0x20) },
    { name: "many changes of the table's size", block: times(100, Buffer.from([0x20])) },
  ])("$name", async ({ block }) => {
    const { cutOff, ending } = await attack(victim, {
      run: (peer) => peer.send(frame(FRAME.headers, ENDED, 1, block)),
    });
    expect(cutOff.kind).toBe("compression_error");
    expect(ending.code).toBe(cutOff.code);
  });

  test("the longest Huffman codes there are, in heads as large as allowed", async () => {
    const { cutOff } = await attack(victim, {
      run: async (peer) => await peer.flood(requests(huffman("x", longestCodes))),
    });
    expect(cutOff.kind).toBe("reset_flood");
  });
});

/** Nothing but line feeds, whose code has 30 bits: a field that is malformed, but only once it is decoded. */
const longestCodes = Buffer.from(
  "111111111111111111111111111100"
    .repeat(15_000)
    .match(/.{8}/g)
    ?.map((byte) => Number.parseInt(byte, 2)) ?? [],
);

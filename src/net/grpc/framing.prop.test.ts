import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameReader, framePrefix, frameSmall } from "./framing.ts";

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...places.map((one) => one % (bytes.length + 1)), 0, bytes.length].toSorted((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.slice(at[i] as number, end));
}

function read(reader: FrameReader, chunks: readonly Uint8Array[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let one = reader.next(); one !== undefined; one = reader.next()) messages.push(one.slice());
  }
  return messages;
}

const sizes = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(16_383, 16_384, 16_385, 70_000));

test("messages are the same however their bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 40 }), (lengths, places) => {
      const messages = lengths.map((length, i) => Buffer.alloc(length, i + 1));
      const bytes = Buffer.concat(
        messages.flatMap((one) => [frameSmall(one) ?? Buffer.concat([framePrefix(one.length), one])]),
      );
      const reader = new FrameReader(100_000);
      const got = read(reader, cut(bytes, places));
      expect(got.map((one) => Buffer.from(one))).toEqual(messages);
      expect(reader.atBoundary).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("byte by byte, and all pushed before anything is read", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 5 }), (messages) => {
      const bytes = Buffer.concat(messages.map((one) => frameSmall(one) as Uint8Array));
      const reader = new FrameReader(100);
      for (const byte of bytes) reader.push(Uint8Array.of(byte));
      expect(read(reader, [new Uint8Array(0)]).map((one) => Buffer.from(one))).toEqual(
        messages.map((one) => Buffer.from(one)),
      );
    }),
  );
});

test("a cut-off stream is not at a boundary", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.nat(), (message, place) => {
      const frame = frameSmall(message) as Uint8Array;
      const length = 1 + (place % (frame.length - 1));
      const reader = new FrameReader(100);
      expect(read(reader, [frame.subarray(0, length)])).toEqual([]);
      expect(reader.atBoundary).toBe(false);
    }),
  );
});

test("any bytes give messages or a GrpcError, never more than the limit", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 0, max: 50 }),
      fc.array(fc.nat(), { maxLength: 5 }),
      (bytes, limit, places) => {
        const reader = new FrameReader(limit);
        try {
          for (const one of read(reader, cut(bytes, places))) expect(one.length).toBeLessThanOrEqual(limit);
        } catch (error) {
          expect(error).toMatchObject({ name: "GrpcError" });
        }
      },
    ),
  );
});

test("the limit is told in grpc-go's words, before the bytes come", () => {
  const reader = new FrameReader(10);
  reader.push(framePrefix(0xffffffff));
  expect(() => reader.next()).toThrow("grpc: received message larger than max (4294967295 vs. 10)");
});

test("a prefix alone reserves nothing like the announced size", () => {
  const reader = new FrameReader(1_000_000_000);
  const before = process.memoryUsage().arrayBuffers;
  reader.push(framePrefix(900_000_000));
  reader.push(new Uint8Array(1000));
  expect(reader.next()).toBeUndefined();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
});

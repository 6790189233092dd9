import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameScanner } from "./frame-scanner.ts";
import { framePrefix } from "./framing.ts";

const messages = fc.array(
  fc.record({
    length: fc.integer({ min: 0, max: 300 }),
    compressed: fc.boolean(),
    fill: fc.integer({ max: 255, min: 0 }),
  }),
  { maxLength: 20 },
);

test("counts messages wherever the chunks are cut", () => {
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (sent, cuts) => {
      const bytes = Buffer.concat(
        sent.flatMap(({ length, compressed, fill }) => [framePrefix(length, compressed), Buffer.alloc(length, fill)]),
      );
      const scanner = new FrameScanner(300);
      for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
        const size = cuts[cut % cuts.length] as number;
        scanner.scan(bytes.subarray(at, at + size));
        at += size;
      }
      expect(scanner.messages).toBe(sent.length);
      expect(scanner.bytes).toBe(bytes.length);
      expect(scanner.atBoundary).toBe(true);
    }),
  );
});

test("knows when bytes end within a message", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (length, seed) => {
      const bytes = Buffer.concat([framePrefix(length), Buffer.alloc(length)]);
      const scanner = new FrameScanner(300);
      scanner.scan(bytes.subarray(0, 1 + (seed % (bytes.length - 1))));
      expect(scanner.atBoundary).toBe(false);
    }),
  );
});

test("refuses a message over the limit with its prefix, however long it says it is", () => {
  fc.assert(
    fc.property(fc.integer({ min: 301, max: 2 ** 32 - 1 }), (length) => {
      const scanner = new FrameScanner(300);
      const prefix = Buffer.from([0, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255]);
      expect(() => scanner.scan(prefix)).toThrow(`grpc: received message larger than max (${length} vs. 300)`);
    }),
  );
});

test("refuses flags that are none", () => {
  expect(() => new FrameScanner(300).scan(Buffer.from([2]))).toThrow("grpc: received unexpected payload format 2");
});

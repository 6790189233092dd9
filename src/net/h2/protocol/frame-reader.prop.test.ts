import fc from "fast-check";
import { expect, test } from "vitest";
import { frame } from "../../../../test/harness/h2-frames.ts";
import { type FrameHandler, FrameReader } from "./frame-reader.ts";
import { FLAG, FRAME } from "./frames.ts";

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Uint8Array;
}

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.integer({ min: 200, max: 16_384 }).map((length) => new Uint8Array(length).map((_, i) => i % 251)),
);
const frames: fc.Arbitrary<Frame[]> = fc.array(
  fc.record({
    type: fc.oneof(fc.constant(FRAME.data), fc.integer({ min: 1, max: 255 })),
    flags: fc.integer({ min: 0, max: 255 }).map((flags) => flags & ~FLAG.padded),
    id: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    payload,
  }),
  { maxLength: 12 },
);
/** Padding of DATA by frame, where it gets some. */
const paddings = fc.array(fc.option(fc.nat({ max: 255 })), { minLength: 12, maxLength: 12 });
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5_000 })), {
  minLength: 1,
  maxLength: 40,
});

/** Writes down each frame once it is over, whatever the pieces of DATA were. */
class Record implements FrameHandler {
  readonly frames: string[] = [];
  private data: Buffer[] = [];
  private id = -1;
  private length = 0;

  onDataStart(id: number, length: number): void {
    this.data = [];
    this.id = id;
    this.length = length;
  }

  onDataChunk(id: number, chunk: Buffer): void {
    expect(id).toBe(this.id);
    expect(chunk.length).toBeGreaterThan(0);
    this.data.push(chunk);
  }

  onDataEnd(id: number, endStream: boolean): void {
    expect(id).toBe(this.id);
    this.frames.push(`data ${id} ${this.length} ${endStream} ${Buffer.concat(this.data).toString("hex")}`);
  }

  onFrame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    this.frames.push(`${type} ${flags} ${id} ${bytes.toString("hex", start, end)}`);
  }
}

test("frames are the same in any pieces", () => {
  fc.assert(
    fc.property(frames, paddings, cuts, (list, pads, sizes) => {
      const expected: string[] = [];
      const parts = list.map(({ type, flags, id, payload: content }, i) => {
        const hex = Buffer.from(content).toString("hex");
        const pad = pads[i];
        if (type !== FRAME.data) {
          expected.push(`${type} ${flags} ${id} ${hex}`);
          return frame(type, flags, id, content);
        }
        const padded = typeof pad === "number" && content.length + 1 + pad <= 16_384;
        const whole = padded ? Buffer.concat([Buffer.from([pad]), content, Buffer.alloc(pad)]) : content;
        expected.push(`data ${id} ${whole.length} ${(flags & FLAG.endStream) !== 0} ${hex}`);
        return frame(type, padded ? flags | FLAG.padded : flags, id, whole);
      });
      const bytes = Buffer.concat(parts);
      const record = new Record();
      const reader = new FrameReader(record);
      for (let at = 0, i = 0; at < bytes.length; i += 1) {
        const size = sizes[i % sizes.length] as number;
        reader.push(bytes.subarray(at, at + size));
        at += size;
      }
      expect(record.frames).toEqual(expected);
      expect(reader.unfinished).toBe(0);
    }),
  );
});

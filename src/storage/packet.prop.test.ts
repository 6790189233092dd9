import fc from "fast-check";
import { expect, test } from "vitest";
import { PacketWriter, writesOf } from "./packet.ts";

const param = fc.oneof(
  fc.constant(null),
  fc.double({ noNaN: true }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.string({ unit: "binary", maxLength: 2_000 }),
  fc.uint8Array({ maxLength: 6_000 }),
);
const step = fc.record({
  statement: fc.integer({ min: 0, max: 255 }),
  params: fc.array(param, { maxLength: 6 }),
  mustChange: fc.boolean(),
});
const writes = fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 12 });

test("a packet gives back what was put in, also when a writer is used again", () => {
  const writer = new PacketWriter();
  fc.assert(
    fc.property(writes, (planned) => {
      for (const steps of planned) {
        writer.beginWrite(steps.length);
        for (const { statement, mustChange, params } of steps) writer.addStep(statement, mustChange, params);
      }
      const { byteLength } = writer;
      const found = writesOf(writer.take(), byteLength).map((steps) =>
        steps.map((one) => ({
          ...one,
          params: one.params.map((value) => (value instanceof Uint8Array ? Uint8Array.from(value) : value)),
        })),
      );
      expect(found).toEqual(planned);
    }),
  );
});

test("what was begun and taken back leaves no trace", () => {
  const writer = new PacketWriter();
  writer.beginWrite(1);
  writer.addStep(1, false, ["kept"]);
  const kept = writer.byteLength;
  writer.beginWrite(2);
  writer.addStep(2, true, ["x".repeat(10_000)]);
  writer.truncate(kept);
  expect(writesOf(writer.take(), kept)).toEqual([[{ statement: 1, params: ["kept"], mustChange: false }]]);
});

test("more steps or parameters than a packet can say are refused", () => {
  const writer = new PacketWriter();
  expect(() => writer.beginWrite(65_536)).toThrow("at most 65535");
  expect(() =>
    writer.addStep(
      0,
      false,
      Array.from({ length: 256 }, () => null),
    ),
  ).toThrow("at most 255");
});

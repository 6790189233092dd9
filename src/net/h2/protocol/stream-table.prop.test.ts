import fc from "fast-check";
import { expect, test } from "vitest";
import type { H2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

const streamOf = (id: number): H2Stream => ({ id, nextInSlot: undefined }) as H2Stream;

test("it holds what a Map would hold, whatever comes and goes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 120 })), { maxLength: 300, size: "max" }),
      (steps) => {
        const table = new StreamTable();
        const model = new Map<number, H2Stream>();
        let id = 1;
        for (const [kind, which] of steps) {
          if (kind > 0) {
            const stream = streamOf(id);
            table.add(stream);
            model.set(id, stream);
            id += which % 3 === 0 ? 2 : 32;
          } else {
            const streams = [...model.values()];
            const stream = streams[which % Math.max(streams.length, 1)] ?? streamOf(which * 2 + 1);
            table.delete(stream);
            model.delete(stream.id);
            expect(table.get(stream.id)).toBeUndefined();
          }
          expect(table.size).toBe(model.size);
        }
        expect(table.all()).toEqual([...model.values()]);
        for (const stream of model.values()) expect(table.get(stream.id)).toBe(stream);
        table.clear();
        expect([table.size, table.all()]).toEqual([0, []]);
      },
    ),
  );
});

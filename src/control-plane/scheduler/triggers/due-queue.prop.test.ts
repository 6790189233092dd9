import fc from "fast-check";
import { expect, it } from "vitest";
import { DueQueue, type Queued } from "./due-queue.ts";

it("gives back what is earliest, whatever is taken out of its middle", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.nat(), fc.boolean())), (operations) => {
      const queue = new DueQueue<Queued>();
      let inside: Queued[] = [];
      let revision = 0;
      for (const [dueMs, pick, adds] of operations) {
        if (adds || inside.length === 0) {
          revision += 1;
          const item = { dueMs, revision, place: -1 };
          inside.push(item);
          queue.add(item);
        } else {
          const item = inside[pick % inside.length] as Queued;
          inside = inside.filter((other) => other !== item);
          queue.remove(item);
          queue.remove(item);
          expect(item.place).toBe(-1);
        }
        expect(queue.size).toBe(inside.length);
        expect(queue.head?.dueMs).toBe(inside.length === 0 ? undefined : Math.min(...inside.map((item) => item.dueMs)));
      }
      const drained: Queued[] = [];
      for (let head = queue.head; head !== undefined; head = queue.head) {
        queue.remove(head);
        drained.push(head);
      }
      expect(drained).toEqual(inside.sort((a, b) => a.dueMs - b.dueMs || a.revision - b.revision));
    }),
  );
});

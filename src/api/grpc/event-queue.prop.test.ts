import fc from "fast-check";
import { expect, test } from "vitest";
import { EventQueue } from "./event-queue.ts";

/** Pushes and reads in any order; a read that finds nothing waits for the next push. */
const step = fc.oneof(fc.constant("push" as const), fc.constant("read" as const));

test("events come out once, in order, however pushes and reads take turns", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 600 }), async (steps) => {
      const queue = new EventQueue<number>();
      const reader = queue[Symbol.asyncIterator]();
      const reads: Promise<IteratorResult<number, void>>[] = [];
      let pushed = 0;
      for (const kind of steps) {
        if (kind === "push") {
          queue.push(pushed++);
        } else {
          reads.push(reader.next());
        }
      }
      const served = Math.min(pushed, reads.length);
      const results = await Promise.all(reads.slice(0, served));
      expect(results.map(({ value }) => value)).toEqual(Array.from({ length: served }, (_, index) => index));
      queue.end();
      queue.push(-1);
      for (const late of [...reads.slice(served), reader.next()]) {
        expect(await late).toEqual({ done: true, value: undefined });
      }
    }),
  );
});

test("the error it ends with comes before what still waits", async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.end(new Error("stream closed"));
  queue.end(new Error("another"));
  await expect(queue[Symbol.asyncIterator]().next()).rejects.toThrow("stream closed");
});

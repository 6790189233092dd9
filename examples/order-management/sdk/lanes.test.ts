import { expect, it } from "vitest";
import { forEach } from "./lanes.ts";

it("does each thing once, in order, and no more than so many at a time", async () => {
  const begun: number[] = [];
  let underWay = 0;
  let most = 0;
  await forEach([1, 2, 3, 4, 5], 2, async (thing) => {
    begun.push(thing);
    most = Math.max(most, ++underWay);
    await Promise.resolve();
    underWay--;
  });
  expect(begun).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

it("begins nothing more after a failure, and waits for what is under way", async () => {
  const slow = Promise.withResolvers<void>();
  const done: number[] = [];
  const all = forEach([1, 2, 3, 4], 2, async (thing) => {
    if (thing === 2) throw new Error("two");
    await slow.promise;
    done.push(thing);
  });
  slow.resolve();
  await expect(all).rejects.toThrow("two");
  expect(done).toEqual([1]);
});

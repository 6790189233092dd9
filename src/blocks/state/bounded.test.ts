import { expect, test } from "vitest";
import { BULK_PARALLELISM_MAX, forEachBounded } from "./bounded.ts";

async function highWater(count: number, parallelism: number): Promise<{ peak: number; order: number[] }> {
  let running = 0;
  let peak = 0;
  const order: number[] = [];
  await forEachBounded(count, parallelism, async (index) => {
    order.push(index);
    running += 1;
    peak = Math.max(peak, running);
    await Promise.resolve();
    running -= 1;
  });
  return { peak, order };
}

test.each([
  [10, 3, 3],
  [2, 5, 2],
  [200, 0, BULK_PARALLELISM_MAX],
  [200, 1_000, BULK_PARALLELISM_MAX],
])(
  "%d tasks with parallelism %d run at most %d at once, each once, begun in order",
  async (count, parallelism, expected) => {
    const { peak, order } = await highWater(count, parallelism);
    expect(peak).toBe(expected);
    expect(order).toEqual(Array.from({ length: count }, (_, index) => index));
  },
);

test("a rejection ends the run after what is under way", async () => {
  const begun: number[] = [];
  const run = forEachBounded(100, 2, async (index) => {
    begun.push(index);
    await Promise.resolve();
    if (index === 1) {
      throw new Error("stop");
    }
  });
  await expect(run).rejects.toThrow("stop");
  expect(begun.length).toBeLessThan(6);
});

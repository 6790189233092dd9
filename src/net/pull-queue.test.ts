import { expect, test } from "vitest";
import { PullQueue } from "./pull-queue.ts";

function made(sizeMax = 10): { queue: PullQueue<number>; log: string[] } {
  const log: string[] = [];
  const queue = new PullQueue<number>(
    { onRoom: () => log.push("room"), onAbandoned: () => log.push("abandoned") },
    sizeMax,
  );
  return { queue, log };
}

test("items come in order, whether the reader or the source is first", async () => {
  const { queue } = made();
  const early = [queue.next(), queue.next()];
  queue.push(1, 1);
  queue.push(2, 1);
  queue.push(3, 1);
  queue.end();
  expect(await Promise.all([...early, queue.next(), queue.next()])).toEqual([
    { done: false, value: 1 },
    { done: false, value: 2 },
    { done: false, value: 3 },
    { done: true, value: undefined },
  ]);
});

test("says stop at the bound and calls for more at half of it", async () => {
  const { queue, log } = made(10);
  expect([queue.push(1, 4), queue.push(2, 4), queue.push(3, 4), queue.push(4, 4)]).toEqual([true, true, false, false]);
  await queue.next();
  await queue.next();
  expect(log).toEqual([]);
  await queue.next();
  expect(log).toEqual(["room"]);
  expect(queue.push(5, 4)).toBe(true);
});

test("an error comes once, after the items", async () => {
  const { queue } = made();
  queue.push(1, 1);
  queue.fail(new Error("broken"));
  expect(await queue.next()).toEqual({ done: false, value: 1 });
  await expect(queue.next()).rejects.toThrow("broken");
  expect(await queue.next()).toEqual({ done: true, value: undefined });
  const waiting = made();
  const next = waiting.queue.next();
  waiting.queue.fail(new Error("later"));
  await expect(next).rejects.toThrow("later");
});

test("giving up tells the source once and drops the rest", async () => {
  const { queue, log } = made();
  queue.push(1, 1);
  for await (const one of queue) {
    expect(one).toBe(1);
    break;
  }
  expect(log).toEqual(["abandoned"]);
  expect(queue.push(2, 100)).toBe(true);
  expect(await queue.next()).toEqual({ done: true, value: undefined });
  const ended = made();
  ended.queue.end();
  await ended.queue.return();
  expect(ended.log).toEqual([]);
});

test("many items pass through in order", async () => {
  const { queue } = made(1_000_000);
  for (let i = 0; i < 5000; i += 1) queue.push(i, 1);
  queue.end();
  const all: number[] = [];
  for await (const one of queue) all.push(one);
  expect(all).toEqual(Array.from({ length: 5000 }, (_, i) => i));
});

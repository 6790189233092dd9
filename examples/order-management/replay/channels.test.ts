import { expect, it } from "vitest";
import { performAll } from "./channels.ts";

const tasks = Array.from({ length: 20 }, (_, index) => String(index));

it("performs every task once, as many at a time as there are channels, and keeps failures apart", async () => {
  const performed: string[] = [];
  const progress: number[] = [];
  let open = 0;
  let openMax = 0;
  const result = await performAll({
    tasks,
    nameOf: (name) => `task ${name}`,
    channels: 3,
    signal: new AbortController().signal,
    perform: async (name) => {
      performed.push(name);
      openMax = Math.max(openMax, ++open);
      await Promise.resolve();
      open--;
      if (name === "7") throw new Error("no");
    },
    onProgress: (done) => progress.push(done),
  });
  expect(performed).toEqual(tasks);
  expect(openMax).toBe(3);
  expect(result.performed).toBe(19);
  expect([...result.failures]).toEqual([["task 7", "no"]]);
  expect(progress).toEqual(tasks.map((_, index) => index + 1));
});

it("begins no more tasks than the rate allows", async () => {
  const begunMs: number[] = [];
  const { elapsedMs } = await performAll({
    tasks: tasks.slice(0, 5),
    nameOf: String,
    channels: 5,
    ratePerSecond: 100,
    signal: new AbortController().signal,
    perform: async () => void begunMs.push(await Promise.resolve(performance.now())),
    onProgress: () => {},
  });
  // Timers may fire a millisecond early.
  expect(elapsedMs).toBeGreaterThan(38);
  expect(begunMs[4]! - begunMs[0]!).toBeGreaterThan(35);
});

it("takes no further task once aborted, nor waits for its time", async () => {
  const stopped = new AbortController();
  const { performed } = await performAll({
    tasks,
    nameOf: String,
    channels: 2,
    ratePerSecond: 1,
    signal: stopped.signal,
    perform: async () => {
      stopped.abort();
      await Promise.resolve();
    },
    onProgress: () => {},
  });
  expect(performed).toBe(1);
});

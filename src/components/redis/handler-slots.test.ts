import { expect, it } from "vitest";
import { HandlerSlots } from "./handler-slots.ts";

it("runs so many tasks at a time, in their order", async () => {
  const slots = new HandlerSlots(2);
  const started: number[] = [];
  const finish = Array.from({ length: 4 }, () => Promise.withResolvers<undefined>());
  for (const [index, { promise }] of finish.entries()) {
    slots.run(async () => {
      started.push(index);
      await promise;
    });
  }
  expect(started).toEqual([0, 1]);
  finish[1]?.resolve(undefined);
  await finish[1]?.promise;
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  for (const { resolve } of finish) {
    resolve(undefined);
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(started).toEqual([0, 1, 2, 3]);
  slots.run(async () => void started.push(4));
  expect(started).toEqual([0, 1, 2, 3, 4]);
});

import { expect, test } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { waitForApp } from "./wait.ts";

async function flush(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) {
    await Promise.resolve();
  }
}

test("dials every 100 ms until the app is there", async () => {
  const clock = new VirtualClock();
  let dials = 0;
  let done = false;
  const waiting = waitForApp(
    () => Promise.resolve(++dials === 3 ? "there" : "absent"),
    clock,
    new AbortController().signal,
  ).then(() => (done = true));
  await flush();
  clock.advance(99);
  await flush();
  expect([dials, done]).toEqual([1, false]);
  clock.advance(1);
  await flush();
  clock.advance(100);
  await waiting;
  expect(dials).toBe(3);
});

test("ends with the signal's reason", async () => {
  const clock = new VirtualClock();
  const abort = new AbortController();
  const waiting = waitForApp(() => Promise.resolve("absent"), clock, abort.signal);
  await flush();
  abort.abort(new Error("stopping"));
  await expect(waiting).rejects.toThrow("stopping");
  expect(clock.pendingTimers).toBe(0);
});

import { expect, it } from "vitest";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { FakeBinding } from "./bindings.fixture.ts";
import { InputReading, RESULT_GRACE_MS } from "./input-reading.ts";

async function reading(answer: () => Promise<Uint8Array | undefined>) {
  const binding = new FakeBinding();
  const clock = new VirtualClock();
  const counted: [string, boolean, number][] = [];
  const one = new InputReading(answer, clock, { record: (...call) => void counted.push(call) });
  await one.begin(binding);
  return { binding, clock, counted, one };
}

it("ends at once when no event is under way", async () => {
  const { one, binding } = await reading(() => Promise.resolve(undefined));
  await one.end();
  expect(binding.handler).toBeUndefined();
});

it("ends after the event under way has its result and that has had time to arrive; others are given back", async () => {
  const app = Promise.withResolvers<Uint8Array | undefined>();
  const { one, binding, clock } = await reading(() => app.promise);
  const underWay = binding.emit("first");
  const ending = one.end();
  await expect(binding.emit("late")).rejects.toThrow("input binding is closed");
  app.resolve(Buffer.from("done"));
  expect(Buffer.from((await underWay) ?? []).toString()).toBe("done");
  await expect(binding.emit("later")).rejects.toThrow("input binding is closed");
  expect(clock.pendingTimers).toBe(1);
  clock.advance(RESULT_GRACE_MS);
  await ending;
  expect(binding.handler).toBeUndefined();
});

it("counts what the app did, and not what was given back", async () => {
  let broken = false;
  const { one, binding, clock, counted } = await reading(async () => {
    clock.advance(3);
    if (broken) {
      throw new Error("no");
    }
    return undefined;
  });
  await binding.emit("one");
  broken = true;
  await expect(binding.emit("two")).rejects.toThrow("no");
  const handler = binding.handler;
  await one.end();
  binding.handler = handler;
  await expect(binding.emit("three")).rejects.toThrow("input binding is closed");
  expect(counted).toEqual([
    ["", true, 3],
    ["", false, 3],
  ]);
});

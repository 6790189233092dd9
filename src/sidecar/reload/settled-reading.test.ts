import { expect, it } from "vitest";
import type { Clock } from "../../kit/clock.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { LoadedResources } from "../../resources/types.ts";
import { MISSING_MS, readSettled } from "./settled-reading.ts";

const reading = (...names: string[]): LoadedResources => ({
  components: [],
  subscriptions: [],
  httpEndpoints: [],
  resiliencies: names.map((name) => ({ name })) as unknown as LoadedResources["resiliencies"],
  configurations: [],
  problems: [],
});

const namesOf = ({ resiliencies }: LoadedResources): readonly string[] => resiliencies.map(({ name }) => name);

async function read(before: LoadedResources, ...readings: LoadedResources[]): Promise<readonly string[]> {
  const clock = new VirtualClock();
  const waits: number[] = [];
  const waiting: Clock = {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    every: (ms, action) => clock.every(ms, action),
    after(ms, action) {
      waits.push(ms);
      queueMicrotask(action);
      return { cancel: () => undefined };
    },
  };
  const count = readings.length;
  const found = await readSettled({ read: async () => readings.shift() ?? reading() }, before, waiting);
  expect(waits).toEqual(count === 2 ? [MISSING_MS] : []);
  expect(readings).toEqual([]);
  return namesOf(found);
}

it("takes a reading at once in which nothing is missing", async () => {
  expect(await read(reading("a"), reading("a", "b"))).toEqual(["a", "b"]);
  expect(await read(reading(), reading())).toEqual([]);
});

it("takes for removed what is missing twice", async () => {
  expect(await read(reading("a", "b"), reading("b"), reading("b"))).toEqual(["b"]);
});

it("does not take for removed what is just being written", async () => {
  expect(await read(reading("a", "b"), reading("b"), reading("a", "b"))).toEqual(["a", "b"]);
  expect(await read(reading("a", "b"), reading("b"), reading("a"))).toEqual(["a", "b"]);
});

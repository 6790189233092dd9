import { describe, expect, it } from "vitest";
import { type ActorTickCall, TicksCancelledError } from "../../app/actor-host.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { nextTurn } from "../../kit/turn.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { ActiveActors } from "./active-actors.ts";
import { ActorTimers, type TimerRequest } from "./actor-timers.ts";
import { TIMER_DATA_BYTES_MAX, TIMER_DELAY_MS_MAX } from "./limits.ts";
import type { ActorObserver } from "./types.ts";

const REQUEST: TimerRequest = {
  type: "t",
  id: "a",
  name: "n",
  dueTime: "10s",
  period: "",
  ttl: "",
  callback: "cb",
  data: Buffer.from('"x"'),
};

function setUp(answer: (tick: ActorTickCall) => Promise<void> = () => Promise.resolve()) {
  const clock = new VirtualClock();
  const startMs = clock.now();
  const ticks: { readonly name: string; readonly atMs: number }[] = [];
  const counts: number[] = [];
  const fired: boolean[] = [];
  const active = new ActiveActors({ clock, logger: silentLogger });
  const unused = (): Promise<never> => Promise.reject(new Error("not called"));
  active.register({
    types: new Map([["t", { idleMs: 1_000, reentrancy: { enabled: false, stackDepthMax: 32 }, drainMs: undefined }]]),
    drainMs: 0,
    drainRebalanced: true,
    host: { invoke: unused, fire: unused, deactivate: unused },
  });
  const observer: Partial<ActorObserver> = {
    timers: (_type, count) => void counts.push(count),
    timerFired: (_type, success) => void fired.push(success),
  };
  const calls: ActorTickCall[] = [];
  const timers = new ActorTimers({
    active,
    fire(tick) {
      calls.push(tick);
      ticks.push({ name: tick.name, atMs: clock.now() - startMs });
      return answer(tick);
    },
    observer: observer as ActorObserver,
    clock,
    logger: silentLogger,
  });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await nextTurn();
  };
  return { timers, clock, ticks, calls, counts, fired, pass };
}

describe("a timer", () => {
  it("ticks once when it is due, with what it was made with", async () => {
    const { timers, calls, ticks, counts, fired, pass } = setUp();
    timers.create(REQUEST);
    await pass(9_999);
    expect(ticks).toEqual([]);
    await pass(1);
    await pass(60_000);
    expect(ticks).toEqual([{ name: "n", atMs: 10_000 }]);
    expect(calls).toEqual([
      {
        kind: "timer",
        type: "t",
        id: "a",
        name: "n",
        dueTime: "10s",
        period: "",
        callback: "cb",
        data: Buffer.from('"x"'),
        expiresMs: undefined,
      },
    ]);
    expect([counts, fired]).toEqual([[1, 0], [true]]);
  });

  it("without a due time ticks at once", async () => {
    const { timers, ticks, pass } = setUp();
    timers.create({ ...REQUEST, dueTime: "" });
    await pass(0);
    expect(ticks).toEqual([{ name: "n", atMs: 0 }]);
  });

  it.each([
    ["PT5S", [10, 15, 20, 25]],
    ["5s", [10, 15, 20, 25]],
    ["R2/PT5S", [10, 15]],
    ["R1/PT5S", [10]],
  ])("with the period %s ticks after %j seconds", async (period, seconds) => {
    const { timers, ticks, pass } = setUp();
    timers.create({ ...REQUEST, period });
    for (let second = 0; second < 29; second++) {
      await pass(1_000);
    }
    expect(ticks.map(({ atMs }) => atMs / 1_000)).toEqual(seconds);
  });

  it("ends before a tick that would be at its expiry or later", async () => {
    const { timers, ticks, clock, pass } = setUp();
    timers.create({ ...REQUEST, period: "5s", ttl: "7s" });
    for (let second = 0; second < 30; second++) {
      await pass(1_000);
    }
    expect(ticks.map(({ atMs }) => atMs / 1_000)).toEqual([10, 15]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("that has expired when it is made never ticks, and is gone if it was there", async () => {
    const { timers, ticks, clock, counts, pass } = setUp();
    timers.create(REQUEST);
    timers.create({ ...REQUEST, dueTime: "3s", ttl: "0s" });
    await pass(60_000);
    expect([ticks, clock.pendingTimers, counts]).toEqual([[], 0, [1, 0]]);
  });

  it("takes the place of one with its name, of the same actor alone", async () => {
    const { timers, ticks, calls, pass } = setUp();
    timers.create(REQUEST);
    timers.create({ ...REQUEST, id: "b" });
    timers.create({ ...REQUEST, dueTime: "20s", callback: "second" });
    await pass(10_000);
    await pass(10_000);
    expect(ticks.map(({ atMs }) => atMs)).toEqual([10_000, 20_000]);
    expect(calls.map(({ id, callback }) => [id, callback])).toEqual([
      ["b", "cb"],
      ["a", "second"],
    ]);
  });

  it("that is deleted does not tick, nor does one whose tick is under way once more", async () => {
    const tick = Promise.withResolvers<void>();
    const { timers, ticks, clock, pass } = setUp(() => tick.promise);
    timers.create({ ...REQUEST, period: "1s" });
    timers.create({ ...REQUEST, name: "other" });
    timers.delete(REQUEST, "other");
    timers.delete(REQUEST, "nothing of that name");
    await pass(10_000);
    timers.delete(REQUEST, "n");
    tick.resolve();
    await pass(60_000);
    expect([ticks.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  it("ticks again only when its tick before has ended, and loses none", async () => {
    let release = (): void => undefined;
    const { timers, ticks, pass } = setUp(() => new Promise((resolve) => (release = resolve)));
    timers.create({ ...REQUEST, period: "R3/PT1S" });
    await pass(10_000);
    await pass(5_000);
    expect(ticks).toHaveLength(1);
    release();
    await pass(0);
    await pass(0);
    expect(ticks).toHaveLength(2);
    release();
    await pass(0);
    await pass(0);
    release();
    await pass(60_000);
    expect(ticks).toHaveLength(3);
  });

  it("goes on after a tick that failed", async () => {
    const { timers, ticks, fired, pass } = setUp(() => Promise.reject(new Error("no")));
    timers.create({ ...REQUEST, period: "R2/PT1S" });
    await pass(10_000);
    await pass(1_000);
    expect([ticks.length, fired]).toEqual([2, [false, false]]);
  });

  it("ends when its actor cancels it", async () => {
    const { timers, ticks, clock, pass } = setUp(() => Promise.reject(new TicksCancelledError()));
    timers.create({ ...REQUEST, period: "1s" });
    await pass(10_000);
    await pass(60_000);
    expect([ticks.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  it("may be due later than the platform's timers can wait", async () => {
    const { timers, ticks, pass } = setUp();
    const days = 30 * 24 * 3_600_000;
    expect(days).toBeGreaterThan(TIMER_DELAY_MS_MAX);
    timers.create({ ...REQUEST, dueTime: "720h" });
    await pass(days - 1);
    expect(ticks).toEqual([]);
    await pass(1);
    expect(ticks).toEqual([{ name: "n", atMs: days }]);
  });
});

it("timers are for hosted types, and their names have a length", () => {
  const { timers } = setUp();
  expect(() => timers.create({ ...REQUEST, type: "u" })).toThrow(
    "can't create timer for actor u||a: actor type not registered",
  );
  expect(() => timers.create({ ...REQUEST, name: "n".repeat(1_025) })).toThrow(
    "name has 1025 characters, and 1024 is the limit",
  );
});

it("a limit keeps a timer from being made, and those that are there run on", async () => {
  const { timers, ticks, pass } = setUp();
  for (let timer = 0; timer < 10_000; timer++) {
    timers.create({ ...REQUEST, name: String(timer), dueTime: timer === 0 ? "1s" : "1h" });
  }
  expect(() => timers.create(REQUEST)).toThrow("10000 timers of the actor t||a run already, which is the limit");
  timers.create({ ...REQUEST, name: "1", dueTime: "2h" });
  await pass(1_000);
  timers.create(REQUEST);
  expect(ticks).toEqual([{ name: "0", atMs: 1_000 }]);
});

it("a refused timer leaves the one of its name as it is", async () => {
  const { timers, ticks, pass } = setUp();
  timers.create(REQUEST);
  const data = new Uint8Array(TIMER_DATA_BYTES_MAX + 1);
  expect(() => timers.create({ ...REQUEST, dueTime: "20s", data })).toThrow("is the limit");
  expect(() => timers.create({ ...REQUEST, dueTime: "soon" })).toThrow("error parsing timer due time");
  await pass(10_000);
  expect(ticks).toEqual([{ name: "n", atMs: 10_000 }]);
});

it("nothing ticks after the end", async () => {
  const { timers, ticks, clock, pass } = setUp();
  timers.create(REQUEST);
  timers.close();
  await pass(60_000);
  expect([ticks, clock.pendingTimers]).toEqual([[], 0]);
});

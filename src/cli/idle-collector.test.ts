import { describe, expect, it } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { startIdleCollector } from "./idle-collector.ts";

const MB = 1024 * 1024;

function start() {
  const clock = new VirtualClock();
  const state = { busy: 0, resident: 80 * MB, afterCollection: 85 * MB, collections: 0 };
  const activity = { calls: 0 };
  const timer = startIdleCollector(
    {
      utilization: () => state.busy,
      residentBytes: () => state.resident,
      collect() {
        state.collections += 1;
        state.resident = state.afterCollection;
      },
      streamed: { collectYoung: () => undefined, collectAll: () => undefined, bufferBytes: () => 0 },
    },
    activity,
    clock,
  );
  return { clock, state, timer, activity };
}

describe("startIdleCollector", () => {
  it("collects once after a burst, when nothing has happened for two looks", () => {
    const { clock, state } = start();
    state.resident = 200 * MB;
    state.busy = 0.9;
    clock.advance(5_000);
    expect(state.collections).toBe(0);
    state.busy = 0.01;
    clock.advance(1_000);
    expect(state.collections).toBe(0);
    clock.advance(1_000);
    expect(state.collections).toBe(1);
    clock.advance(60_000);
    expect(state.collections).toBe(1);
  });

  it("waits for the last calls, however little CPU they take", () => {
    const { clock, state, activity } = start();
    state.resident = 200 * MB;
    for (let second = 0; second < 10; second += 1) {
      activity.calls += 100;
      clock.advance(1_000);
    }
    expect(state.collections).toBe(0);
    clock.advance(2_000);
    expect(state.collections).toBe(1);
  });

  it("leaves memory alone that has hardly grown", () => {
    const { clock, state } = start();
    state.resident = 95 * MB;
    clock.advance(60_000);
    expect(state.collections).toBe(0);
  });

  it("stops when it is cancelled", () => {
    const { clock, state, timer } = start();
    timer.cancel();
    state.resident = 200 * MB;
    clock.advance(60_000);
    expect(state.collections).toBe(0);
  });
});

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadline, DeadlineWheel } from "./deadlines.ts";

class Mark extends Deadline {
  firedAt = -1;

  onDeadline(): void {
    this.firedAt = performance.now();
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("fires once, never early and at most two buckets late", () => {
  const wheel = new DeadlineWheel();
  const marks = Array.from({ length: 200 }, (_, i) => ({ ms: i * 3.7, mark: new Mark() }));
  const start = performance.now();
  for (const { ms, mark } of marks) wheel.arm(mark, ms);
  vi.advanceTimersByTime(2000);
  for (const { ms, mark } of marks) {
    expect(mark.firedAt - start).toBeGreaterThanOrEqual(ms);
    expect(mark.firedAt - start).toBeLessThanOrEqual(ms + 16);
  }
});

test("what is disarmed does not fire, and no timer is left", () => {
  const wheel = new DeadlineWheel();
  const marks = Array.from({ length: 5 }, () => new Mark());
  for (const mark of marks) wheel.arm(mark, 100);
  for (const i of [2, 0, 4]) wheel.disarm(marks[i] as Mark);
  vi.advanceTimersByTime(200);
  expect(marks.map((mark) => mark.firedAt > 0)).toEqual([false, true, false, true, false]);
  const last = new Mark();
  wheel.arm(last, 100);
  wheel.disarm(last);
  wheel.disarm(last);
  expect(vi.getTimerCount()).toBe(0);
});

test("a deadline may arm itself and others anew", () => {
  const wheel = new DeadlineWheel();
  let count = 0;
  class Again extends Deadline {
    onDeadline(): void {
      count += 1;
      if (count < 3) wheel.arm(this, 10);
    }
  }
  wheel.arm(new Again(), 10);
  vi.advanceTimersByTime(200);
  expect(count).toBe(3);
});

test("arming twice is a mistake; a countdown of years is cut to what timers hold", () => {
  const wheel = new DeadlineWheel();
  const mark = new Mark();
  wheel.arm(mark, 1e15);
  expect(() => wheel.arm(mark, 1)).toThrow("armed already");
  vi.advanceTimersByTime(10_000);
  expect(mark.firedAt).toBe(-1);
});

import type { Clock, Timer } from "../../src/kit/clock.ts";
import { systemClock } from "../../src/kit/system-clock.ts";

/** The system's clock but for timers of some lengths, which run out when a test says so and never before. */
export interface HeldClock extends Clock {
  /** Lets the held timers of this length run out. @throws Error where none is set */
  runOut(delayMs: number): void;
}

/** @param heldMs the lengths, in milliseconds; each best one that nothing else has */
export function heldClock(...heldMs: readonly number[]): HeldClock {
  const held = new Map<Timer, { readonly delayMs: number; readonly action: () => void }>();
  return {
    now: systemClock.now,
    monotonicMs: systemClock.monotonicMs,
    every: systemClock.every,
    after(delayMs, action) {
      if (!heldMs.includes(delayMs)) {
        return systemClock.after(delayMs, action);
      }
      const timer: Timer = { cancel: () => void held.delete(timer) };
      held.set(timer, { delayMs, action });
      return timer;
    },
    runOut(delayMs) {
      const due = [...held].filter(([, one]) => one.delayMs === delayMs);
      if (due.length === 0) {
        throw new Error(`no timer of ${delayMs} ms is set`);
      }
      for (const [timer, { action }] of due) {
        held.delete(timer);
        action();
      }
    },
  };
}

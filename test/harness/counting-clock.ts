import type { Clock, Timer } from "../../src/kit/clock.ts";
import { systemClock } from "../../src/kit/system-clock.ts";

/** The system's clock, with a count of the timers that neither ran out nor were cancelled. */
export interface CountingClock extends Clock {
  readonly pendingTimers: number;
}

export function countingClock(): CountingClock {
  const pending = new Set<Timer>();
  const keep = (timer: Timer): Timer => {
    const kept = {
      cancel() {
        pending.delete(kept);
        timer.cancel();
      },
    };
    pending.add(kept);
    return kept;
  };
  return {
    now: systemClock.now,
    monotonicMs: systemClock.monotonicMs,
    after(delayMs, action) {
      const kept = keep(
        systemClock.after(delayMs, () => {
          pending.delete(kept);
          action();
        }),
      );
      return kept;
    },
    every: (periodMs, action) => keep(systemClock.every(periodMs, action)),
    get pendingTimers() {
      return pending.size;
    },
  };
}

import type { Clock, Timer } from "./clock.ts";

/** The process's own clock; composition roots hand it in. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, action) {
    const handle = setTimeout(action, delayMs);
    handle.unref();
    return timerOf(() => clearTimeout(handle));
  },
  every(periodMs, action) {
    const handle = setInterval(action, periodMs);
    handle.unref();
    return timerOf(() => clearInterval(handle));
  },
};

function timerOf(cancel: () => void): Timer {
  return { cancel };
}

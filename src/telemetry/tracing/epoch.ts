import type { Clock } from "../../kit/clock.ts";

/** Wall time of a moment on the clock's monotonic scale: both are milliseconds, and only their difference is kept. */
export function epochOffsetMs(clock: Clock): number {
  return clock.now() - clock.monotonicMs();
}

import type { StreamGarbage } from "../kit/stream-tally.ts";
import type { Clock, Timer } from "../kit/clock.ts";

/** How often the process is looked at. */
const LOOK_EVERY_MS = 1_000;
/** Calls of the API in a second that a process may answer and still count as idle: probes are no load. */
const IDLE_CALLS_MAX = 10;
/** CPU seconds a second that it may use besides: a busy broker or scrape is not to be held up either. */
const IDLE_UTILIZATION_MAX = 0.25;
/** Growth of resident memory since the last collection that makes another worth its pause. */
const GROWTH_BYTES_MIN = 16 * 1024 * 1024;
/** Idle seconds before a collection: a pause between two requests is not the end of the load. */
const IDLE_LOOKS_MIN = 2;

/** What the collector sees and does of the process. */
export interface CollectableProcess {
  /** CPU time used since the last call as a part of the time passed; unlike the event loop's own figure it does not grow on a busy machine. */
  utilization(): number;
  residentBytes(): number;
  /** A full collection that gives memory back; it stops the event loop for some 10 ms on a small heap. */
  collect(): void;
  readonly streamed: StreamGarbage;
}

/**
 * Gives memory back after a burst. V8 collects when something is allocated, so what the last requests of a burst left
 * behind would stay until the next one; a sidecar beside a sleeping app would hold it for ever. Collecting only while
 * nothing happens keeps the pause out of requests' way.
 */
export function startIdleCollector(
  process: CollectableProcess,
  activity: { readonly calls: number },
  clock: Clock,
): Timer {
  let floorBytes = process.residentBytes();
  let idleLooks = 0;
  let callsBefore = activity.calls;
  process.utilization();
  return clock.every(LOOK_EVERY_MS, () => {
    const quiet = activity.calls - callsBefore <= IDLE_CALLS_MAX;
    callsBefore = activity.calls;
    idleLooks = process.utilization() <= IDLE_UTILIZATION_MAX && quiet ? idleLooks + 1 : 0;
    if (idleLooks < IDLE_LOOKS_MIN || process.residentBytes() - floorBytes < GROWTH_BYTES_MIN) {
      return;
    }
    idleLooks = 0;
    process.collect();
    floorBytes = process.residentBytes();
  });
}

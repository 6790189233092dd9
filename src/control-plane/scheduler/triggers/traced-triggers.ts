import type { Clock } from "../../../kit/clock.ts";
import { SPAN_KIND, type Tracer } from "../../../kit/trace-context.ts";
import type { JobTarget } from "../jobs/job-name.ts";
import type { PoolEvents } from "../sidecars/stream-pool.ts";
import type { JobEntry } from "./job-entry.ts";

/** Gives every trigger that a sidecar has answered a span, from when it was handed over; the job's full name is its name. */
export class TracedTriggers implements PoolEvents {
  readonly #events: PoolEvents;
  readonly #tracer: Tracer;
  readonly #clock: Clock;

  constructor(events: PoolEvents, tracer: Tracer, clock: Clock) {
    this.#events = events;
    this.#tracer = tracer;
    this.#clock = clock;
  }

  finished(...[entry, result, tookMs]: Parameters<PoolEvents["finished"]>): void {
    const startMs = this.#clock.monotonicMs() - tookMs;
    const span = this.#tracer.start(`trigger/${entry.name}`, SPAN_KIND.producer, undefined, startMs);
    span.set("scheduler.result", result);
    if (result !== "SUCCESS") {
      span.fail(result);
    }
    span.end();
    this.#events.finished(entry, result, tookMs);
  }

  content(entry: JobEntry): ReturnType<PoolEvents["content"]> {
    return this.#events.content(entry);
  }

  unreadable(entry: JobEntry, error: unknown): void {
    this.#events.unreadable(entry, error);
  }

  vanished(entry: JobEntry): void {
    this.#events.vanished(entry);
  }

  sent(entry: JobEntry): void {
    this.#events.sent(entry);
  }

  reachable(targets: readonly JobTarget[]): void {
    this.#events.reachable(targets);
  }
}

import type { Clock, Timer } from "./clock.ts";

interface Pending {
  dueMs: number;
  readonly periodMs: number | undefined;
  readonly action: () => void;
}

/** Time that stands still until a test moves it; timers due on the way run in their order. */
export class VirtualClock implements Clock {
  readonly #pending = new Set<Pending>();
  #nowMs: number;

  constructor(startMs = Date.UTC(2026, 0, 2, 3, 4, 5)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + delayMs, periodMs: undefined, action });
  }

  every(periodMs: number, action: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + periodMs, periodMs, action });
  }

  /** Timers that have not been cancelled or run out. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let due = this.#nextDue(endMs); due !== undefined; due = this.#nextDue(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, due.dueMs);
      if (due.periodMs === undefined) {
        this.#pending.delete(due);
      } else {
        due.dueMs += due.periodMs;
      }
      due.action();
    }
    this.#nowMs = endMs;
  }

  /** The process stands still: time passes, and what was due meanwhile runs when time is moved again. */
  stall(ms: number): void {
    this.#nowMs += ms;
  }

  #nextDue(endMs: number): Pending | undefined {
    let next: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueMs <= endMs && (next === undefined || pending.dueMs < next.dueMs)) {
        next = pending;
      }
    }
    return next;
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }
}

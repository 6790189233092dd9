import type { Clock, Timer } from "../../src/kit/clock.ts";
import { SeededRandom } from "./seeded-random.ts";
import type { World } from "./world.ts";

/** Milliseconds that a timer may come too early, as Node's may, and too late, as the event loop is busy. */
const TIMER_EARLY_MS = 0.9;
const TIMER_LATE_MS = 2;
/** Milliseconds between two things that waited for a process to go on. */
const BACKLOG_STEP_MS = 0.01;
/** Where all clocks start, milliseconds since 1970. */
const EPOCH_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
/** What clocks differ in speed at most. */
const DRIFT_MAX = 0.0005;

/** A computer: its network and its clock outlive the processes on it. */
export class Machine {
  readonly name: string;
  /** Without power nobody answers for it, not even with a refusal. */
  isUp = true;
  /** Connections from before may stand at others, who have not heard of it. */
  hasLostPower = false;
  /** How far the wall clock has been set from what it should be, in milliseconds. */
  wallOffsetMs = 0;
  /** Milliseconds that pass here in one of the world. */
  rate: number;
  process: SimulatedProcess | undefined;
  readonly world: World;
  readonly random: SeededRandom;

  constructor(world: World, name: string, seed: number) {
    this.world = world;
    this.name = name;
    this.random = new SeededRandom(seed, name);
    this.rate = 1 + this.random.between(-DRIFT_MAX, DRIFT_MAX);
  }

  monotonicMs(): number {
    return this.world.nowMs * this.rate;
  }

  wallMs(): number {
    return Math.floor(this.trueMs() + this.wallOffsetMs);
  }

  /** What the wall clock would say had nobody set it. */
  trueMs(): number {
    return EPOCH_MS + this.monotonicMs();
  }

  start(): SimulatedProcess {
    const started = new SimulatedProcess(this);
    this.process = started;
    return started;
  }
}

interface Waiting {
  readonly lane: object;
  readonly label: string;
  readonly run: () => void;
}

/** One life of a program. All that ever makes it do something comes through `take`, so that it can be stopped and killed. */
export class SimulatedProcess {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly random: SeededRandom;
  isAlive = true;
  isPaused = false;
  readonly #world: World;
  readonly #timers = new Set<{ cancel(): void }>();
  readonly #backlog: Waiting[] = [];
  readonly #onEnd = new Set<() => void>();
  #isDraining = false;

  constructor(machine: Machine) {
    this.machine = machine;
    this.#world = machine.world;
    this.random = machine.random;
    this.clock = {
      now: () => machine.wallMs(),
      monotonicMs: () => machine.monotonicMs(),
      after: (delayMs, action) => this.#after(delayMs, action),
      every: (periodMs, action) => this.#every(periodMs, action),
    };
  }

  get name(): string {
    return this.machine.name;
  }

  /** Timers that have not run out. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Runs something now, or when the process goes on; never once it is over. What shares a lane stays in order. */
  take(lane: object, label: string, run: () => void): void {
    if (!this.isAlive) {
      return;
    }
    if (this.isPaused || this.#isDraining) {
      this.#backlog.push({ lane, label, run });
      return;
    }
    run();
  }

  /** As SIGSTOP does. */
  pause(): void {
    this.isPaused = true;
  }

  /** As SIGCONT does: what came meanwhile follows, in no order that anybody could count on. */
  resume(): void {
    if (this.isPaused) {
      this.isPaused = false;
      this.#drain();
    }
  }

  /** As SIGKILL does. */
  kill(): void {
    this.isAlive = false;
    for (const timer of this.#timers) {
      timer.cancel();
    }
    this.#timers.clear();
    this.#backlog.length = 0;
    for (const listener of this.#onEnd) {
      listener();
    }
    this.#onEnd.clear();
  }

  /** @returns takes the listener away */
  onEnd(listener: () => void): () => void {
    this.#onEnd.add(listener);
    return () => void this.#onEnd.delete(listener);
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#after(delayMs, resolve));
  }

  #drain(): void {
    this.#isDraining = this.#backlog.length > 0;
    if (!this.#isDraining) {
      return;
    }
    const chosen = this.random.pick(this.#backlog).lane;
    const [next] = this.#backlog.splice(
      this.#backlog.findIndex(({ lane }) => lane === chosen),
      1,
    );
    this.#world.after(BACKLOG_STEP_MS, `${this.name} goes on: ${next?.label ?? ""}`, () => {
      if (!this.isAlive) {
        return;
      }
      if (this.isPaused) {
        if (next !== undefined) {
          this.#backlog.unshift(next);
        }
        this.#isDraining = false;
        return;
      }
      next?.run();
      this.#drain();
    });
  }

  #after(delayMs: number, action: () => void): Timer {
    if (!this.isAlive) {
      return { cancel: () => undefined };
    }
    const jitterMs = this.random.between(-TIMER_EARLY_MS, TIMER_LATE_MS);
    const due = this.#world.after((delayMs + jitterMs) / this.machine.rate, `${this.name} timer`, () =>
      this.take(this.#timers, "timer", fire),
    );
    const timer = {
      cancel: () => {
        due.cancel();
        this.#timers.delete(timer);
      },
    };
    const fire = (): void => {
      // Cancelled while it waited for the process.
      if (this.#timers.delete(timer)) {
        action();
      }
    };
    this.#timers.add(timer);
    return timer;
  }

  #every(periodMs: number, action: () => void): Timer {
    let current: Timer | undefined;
    const arm = (): void => {
      current = this.#after(periodMs, () => {
        arm();
        action();
      });
    };
    arm();
    return { cancel: () => current?.cancel() };
  }
}

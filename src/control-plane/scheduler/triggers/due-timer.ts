import type { Clock, Timer } from "../../../kit/clock.ts";
import {
  PACE_MS,
  SLEEP_MS_MAX,
  STORING_MANY,
  TRIGGERS_PER_TURN,
  TRIGGERS_PER_TURN_BEHIND,
  TRIGGERS_PER_TURN_JAMMED,
  UNSETTLED_MANY,
} from "../limits.ts";
import { DueQueue } from "./due-queue.ts";
import type { JobEntry } from "./job-entry.ts";

/** How many triggers are on their way, and of how many the result is being stored. */
export interface UnderWay {
  readonly sent: number;
  readonly storing: number;
  /** They wait for each other. */
  readonly isJam: boolean;
}

/** Hands out triggers when they are due, and no faster than their results are stored: a crash repeats those without one. */
export class DueTimer {
  readonly #clock: Clock;
  readonly #underWay: () => UnderWay;
  readonly #handOut: (entry: JobEntry) => void;
  readonly #queue = new DueQueue<JobEntry>();
  #timer: Timer | undefined;
  #wakesAtMs = Infinity;
  /** The timer is a pause that what is due must wait for too. */
  #paced = false;
  #held = false;
  #stopped = false;

  constructor(clock: Clock, underWay: () => UnderWay, handOut: (entry: JobEntry) => void) {
    this.#clock = clock;
    this.#underWay = underWay;
    this.#handOut = handOut;
  }

  /** How long the head of the queue is due; what was due while nobody ran counts since it was added. */
  get waitMs(): number {
    const head = this.#queue.head;
    if (head === undefined) {
      return 0;
    }
    return Math.max(0, Math.min(this.#clock.now() - head.dueMs, this.#clock.monotonicMs() - head.sinceMs));
  }

  add(entry: JobEntry): void {
    this.#queue.add(entry);
    if (this.#queue.head === entry) {
      this.#arm();
    }
  }

  remove(entry: JobEntry): void {
    this.#queue.remove(entry);
  }

  /** A result has been stored: a pause ends early when few are left. */
  settled(): void {
    if (this.#paced && this.#timer !== undefined && this.#unsettled() <= UNSETTLED_MANY / 2) {
      this.#timer.cancel();
      this.#timer = undefined;
      this.#arm();
    }
  }

  /** Hands out nothing until it is released. */
  hold(): void {
    this.#held = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  release(): void {
    this.#held = false;
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** One timer for the head of the queue; it also looks at the clock now and then, which may have been set. */
  #arm(leastMs = 0): void {
    const head = this.#queue.head;
    if (head === undefined || this.#stopped || this.#held) {
      return;
    }
    const nowMs = this.#clock.now();
    const waitMs = Math.min(Math.max(leastMs, head.dueMs - nowMs), SLEEP_MS_MAX);
    if (this.#timer !== undefined && (this.#paced || this.#wakesAtMs <= nowMs + waitMs)) {
      return;
    }
    this.#timer?.cancel();
    this.#wakesAtMs = nowMs + waitMs;
    this.#paced = leastMs > 0;
    this.#timer = this.#clock.after(waitMs, () => this.#tick());
  }

  /** A timer may be early by the clock that jobs go by: only what is due is handed out. */
  #tick(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.now();
    let left = this.#mostNow();
    for (; left > 0 && !this.#held; left -= 1) {
      const head = this.#queue.head;
      if (head === undefined || head.dueMs > nowMs) {
        break;
      }
      this.#queue.remove(head);
      this.#handOut(head);
    }
    this.#arm(this.#unsettled() > UNSETTLED_MANY ? PACE_MS : 0);
  }

  #mostNow(): number {
    const { sent, storing, isJam } = this.#underWay();
    if (isJam && sent + storing >= UNSETTLED_MANY) {
      return TRIGGERS_PER_TURN_JAMMED;
    }
    return storing < STORING_MANY ? TRIGGERS_PER_TURN : TRIGGERS_PER_TURN_BEHIND;
  }

  #unsettled(): number {
    const { sent, storing } = this.#underWay();
    return sent + storing;
  }
}

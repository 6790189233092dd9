import type { Clock } from "../../../kit/clock.ts";
import type { JobEntry, TriggerStage } from "./job-entry.ts";

/** Stages in which a due trigger can be, apart from the queue of those that wait for their time. */
export const HELD_STAGES = ["staged", "gated", "sent", "storing"] as const;
export type HeldStage = (typeof HELD_STAGES)[number];

/** Which entries are in which stage, in the order in which they came there. */
export class Stages {
  readonly #clock: Clock;
  readonly #held: Readonly<Record<HeldStage, Set<JobEntry>>> = {
    staged: new Set(),
    gated: new Set(),
    sent: new Set(),
    storing: new Set(),
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An entry that is in the stage already stays where it is, with its time. */
  move(entry: JobEntry, stage: TriggerStage): void {
    if (entry.stage === stage) {
      return;
    }
    if (isHeld(entry.stage)) {
      this.#held[entry.stage].delete(entry);
    }
    entry.stage = stage;
    entry.sinceMs = this.#clock.monotonicMs();
    if (isHeld(stage)) {
      this.#held[stage].add(entry);
    }
  }

  size(stage: HeldStage): number {
    return this.#held[stage].size;
  }

  /** How long the one that has been longest in a stage is there; 0 when there is none. */
  longestMs(stage: HeldStage): number {
    for (const { sinceMs } of this.#held[stage]) {
      return this.#clock.monotonicMs() - sinceMs;
    }
    return 0;
  }
}

function isHeld(stage: TriggerStage): stage is HeldStage {
  return (HELD_STAGES as readonly string[]).includes(stage);
}

import type { JobTarget } from "../jobs/job-name.ts";

/** Targets whose quickest answer is remembered; of further ones nothing is told. */
const TARGETS_MAX = 10_000;
/** How fast the quickest answer is forgotten, as a part of the difference at every answer. */
const FLOOR_DRIFT = 0.001;
/** What one answer counts for among those before it. */
const WEIGHT = 0.05;
/** So that a few milliseconds more than nearly none are not taken for a jam. */
const GRACE_MS = 5;
/** An average answer that takes so many times what it can take says that triggers wait for each other. */
const JAMMED_RATIO = 3;

/**
 * Tells a jam from slow apps. An app that takes a second for every trigger is given many at once; where answers take longer
 * the more triggers are under way, more of them only wait, and a crash would repeat them all.
 */
export class Congestion {
  /** The quickest answers lately, in milliseconds. */
  readonly #floors = new Map<JobTarget, number>();
  #ratio = 1;

  /** A trigger has been answered so many milliseconds after it was handed out. */
  note(target: JobTarget, tookMs: number): void {
    const floor = this.#floors.get(target);
    if (floor === undefined) {
      if (this.#floors.size < TARGETS_MAX) {
        this.#floors.set(target, tookMs);
      }
      return;
    }
    this.#floors.set(target, tookMs < floor ? tookMs : floor + (tookMs - floor) * FLOOR_DRIFT);
    this.#ratio += ((tookMs + GRACE_MS) / (floor + GRACE_MS) - this.#ratio) * WEIGHT;
  }

  get isJam(): boolean {
    return this.#ratio > JAMMED_RATIO;
  }
}

import type { JobTarget } from "../jobs/job-name.ts";
import type { JobEntry } from "./job-entry.ts";

const NOBODY: ReadonlySet<JobEntry> = new Set();

/** Due triggers that nobody takes at present, by whom they are for. */
export class Staging {
  readonly #entries = new Map<JobTarget, Set<JobEntry>>();

  add(entry: JobEntry): void {
    const { target } = entry.plan;
    const staged = this.#entries.get(target);
    if (staged === undefined) {
      this.#entries.set(target, new Set([entry]));
    } else {
      staged.add(entry);
    }
  }

  /** Nothing happens when it is not there. */
  remove(entry: JobEntry): void {
    const { target } = entry.plan;
    const staged = this.#entries.get(target);
    if (staged?.delete(entry) === true && staged.size === 0) {
      this.#entries.delete(target);
    }
  }

  /** All for one target, which are no longer here then. */
  take(target: JobTarget): ReadonlySet<JobEntry> {
    const staged = this.#entries.get(target);
    this.#entries.delete(target);
    return staged ?? NOBODY;
  }
}

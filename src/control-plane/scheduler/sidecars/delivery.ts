import type { JobEntry } from "../triggers/job-entry.ts";
import type { Gate } from "./gate.ts";

/** One attempt of one trigger, from being handed out until its result. */
export class Delivery {
  readonly entry: JobEntry;
  /** The limits it counts against; taken when it is sent. */
  readonly gates: readonly Gate[];
  /** On the clock that never goes back. */
  readonly startedMs: number;

  constructor(entry: JobEntry, gates: readonly Gate[], startedMs: number) {
    this.entry = entry;
    this.gates = gates;
    this.startedMs = startedMs;
  }
}

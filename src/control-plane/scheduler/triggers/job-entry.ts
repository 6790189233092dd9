import type { JobPlan } from "../jobs/read-job.ts";
import type { Progress } from "../jobs/job-times.ts";
import type { Queued } from "./due-queue.ts";

/** Where a job's next trigger is. */
export type TriggerStage =
  /** Just read. */
  | "new"
  /** Not due yet, or not handed out yet. */
  | "waiting"
  /** Due, and nobody is connected who takes it. */
  | "staged"
  /** Due, and a concurrency limit holds it back. */
  | "gated"
  /** With a sidecar. */
  | "sent"
  /** Its result is being stored. */
  | "storing"
  /** The job is gone, deleted or replaced: what still comes back for it is of no interest. */
  | "gone";

/** One version of a job in memory. */
export class JobEntry implements Queued {
  /** The full name: its key without the folder. */
  readonly name: string;
  /** The commit that wrote this version. */
  readonly revision: number;
  readonly plan: JobPlan;
  progress: Progress;
  /** The commit that last wrote its counter, 0 where there is none. */
  counterRevision = 0;
  /** The reading of all jobs in which it was seen last. */
  reading = 0;
  dueMs: number;
  place = -1;
  stage: TriggerStage = "new";
  /** When it came there, on the clock that never goes back. */
  sinceMs = 0;
  /** Since when the job cannot be read, on the same clock; undefined when it can. */
  unreadableSinceMs: number | undefined;

  constructor(name: string, revision: number, plan: JobPlan, progress: Progress, dueMs: number) {
    this.name = name;
    this.revision = revision;
    this.plan = plan;
    this.progress = progress;
    this.dueMs = dueMs;
  }
}

import type { CronSchedule } from "../../../kit/cron.ts";

/** When a job triggers, from what is stored of it. All times are whole milliseconds since 1970. */
export interface JobTimes {
  /** Absent for a job that triggers once, at its due time. */
  readonly cron?: CronSchedule | undefined;
  /** The first trigger. */
  readonly dueMs?: number | undefined;
  /** Without a due time: where the schedule begins, which is no trigger itself. */
  readonly startMs: number;
  readonly repeats?: number | undefined;
  readonly expirationMs?: number | undefined;
}

/** What follows a trigger that failed: nothing, or the same trigger again. */
export type FailureRule =
  | { readonly kind: "drop" }
  | { readonly kind: "retry"; readonly intervalMs: number; readonly retriesMax: number | undefined };

/** How far a job has come. */
export interface Progress {
  /** Triggers that are done, however they ended. */
  readonly count: number;
  /** When the last of them was due. */
  readonly lastMs: number | undefined;
  /** Failed attempts of the next one. */
  readonly attempts: number;
}

export const NO_PROGRESS: Progress = { count: 0, lastMs: undefined, attempts: 0 };

/** Where a job goes from here: `dueMs` undefined means that it is over. */
export interface NextTrigger {
  readonly progress: Progress;
  readonly dueMs: number | undefined;
}

/** When the next trigger is due; undefined when the job is over (its repeats done, its schedule or its life at its end). */
export function nextDue(times: JobTimes, progress: Progress): number | undefined {
  if (times.repeats !== undefined && progress.count >= times.repeats) {
    return undefined;
  }
  const next = scheduled(times, progress);
  if (next === undefined || (times.expirationMs !== undefined && next > times.expirationMs)) {
    return undefined;
  }
  return next;
}

/** A trigger has succeeded. The schedule goes on from when it was due, so that what was missed follows at once. */
export function afterSuccess(times: JobTimes, progress: Progress): NextTrigger {
  return advanced(times, { ...progress, lastMs: scheduled(times, progress) ?? progress.lastMs });
}

/** A trigger that was due at `dueMs` has failed. */
export function afterFailure(times: JobTimes, rule: FailureRule, progress: Progress, dueMs: number): NextTrigger {
  if (rule.kind === "drop") {
    return advanced(times, { ...progress, lastMs: dueMs });
  }
  const attempts = progress.attempts + 1;
  if (rule.retriesMax === undefined || attempts <= rule.retriesMax) {
    return { progress: { ...progress, attempts }, dueMs: dueMs + rule.intervalMs };
  }
  // From the first attempt, so that retries do not move the schedule.
  return advanced(times, { ...progress, lastMs: scheduled(times, progress) ?? progress.lastMs });
}

function advanced(times: JobTimes, { count, lastMs }: Progress): NextTrigger {
  const progress: Progress = { count: count + 1, lastMs, attempts: 0 };
  return { progress, dueMs: nextDue(times, progress) };
}

/** What the schedule says, whatever the repeats and the expiration do. */
function scheduled({ cron, dueMs, startMs }: JobTimes, { count, lastMs }: Progress): number | undefined {
  if (cron === undefined) {
    return count === 0 ? dueMs : undefined;
  }
  if (lastMs === undefined) {
    return dueMs ?? wholeMs(cron.next(startMs));
  }
  return wholeMs(cron.next(lastMs));
}

function wholeMs(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.ceil(ms);
}

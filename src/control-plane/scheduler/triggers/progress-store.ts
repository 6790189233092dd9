import type { NextTrigger } from "../jobs/job-times.ts";
import { storedProgress } from "../jobs/read-job.ts";
import type { Condition, KeyOperation, KeyStore } from "../store/key-store.ts";
import { COUNTERS, JOBS } from "../store/keys.ts";
import type { JobEntry } from "./job-entry.ts";

/**
 * Stores how far a job has come, or that it is over, if the store still has that version of it. Where other schedulers share
 * the store its counter must be as it was read too, so that of two that have triggered the same only one moves the job on.
 * @returns false when nothing has been stored
 */
export async function storeProgress(
  store: KeyStore,
  entry: JobEntry,
  { progress, dueMs }: NextTrigger,
  isShared: boolean,
): Promise<boolean> {
  const counter = COUNTERS + entry.name;
  const job = JOBS + entry.name;
  const conditions: Condition[] = [{ key: job, modRevision: entry.revision }];
  if (isShared) {
    conditions.push({ key: counter, modRevision: entry.counterRevision });
  }
  const dropCounter: KeyOperation = { kind: "delete", key: counter };
  if (dueMs === undefined) {
    const { succeeded } = await store.commit({
      conditions,
      apply: [dropCounter, { kind: "delete", key: job }],
      // Another scheduler may have moved the counter on.
      otherwise: isShared ? [] : [dropCounter],
      essential: true,
    });
    return succeeded;
  }
  const value = storedProgress(progress, entry.plan.partitionId);
  const { succeeded, revision } = await store.commit({
    conditions,
    apply: [{ kind: "put", key: counter, value }],
    essential: true,
  });
  if (succeeded) {
    entry.counterRevision = revision;
  }
  return succeeded;
}

/** The counter of a job that is no longer there says nothing to anybody. */
export async function dropLeftCounter(store: KeyStore, name: string): Promise<void> {
  await store.commit({
    conditions: [{ key: JOBS + name, modRevision: 0 }],
    apply: [{ kind: "delete", key: COUNTERS + name }],
    essential: true,
  });
}

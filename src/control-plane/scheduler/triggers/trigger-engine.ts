import type { Clock } from "../../../kit/clock.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import { formatGoDuration } from "../../../kit/duration.ts";
import type { Logger } from "../../../kit/logger.ts";
import { afterFailure, afterSuccess, type NextTrigger, nextDue } from "../jobs/job-times.ts";
import type { JobTarget } from "../jobs/job-name.ts";
import { type JobContent, readContent, readPlan, readProgress, storedProgress } from "../jobs/read-job.ts";
import type { ScheduleCache } from "../jobs/schedule-cache.ts";
import { PAGE_KEYS, STORE_RETRY_MS } from "../limits.ts";
import type { SchedulerMetrics } from "../../../telemetry/metrics/scheduler-metrics.ts";
import type { Dispatch, PoolEvents } from "../sidecars/stream-pool.ts";
import type { KeyChange, KeyStore, KeyValue } from "../store/key-store.ts";
import { COUNTERS, JOBS, prefixRange, rangeAfter } from "../store/keys.ts";
import { DueTimer, type UnderWay } from "./due-timer.ts";
import { JobEntry } from "./job-entry.ts";
import type { TriggerResult } from "./result.ts";
import { type HeldStage, Stages } from "./stages.ts";
import { Staging } from "./staging.ts";
import { StoreRetries } from "./store-retries.ts";

/** What the engine stands on. */
export interface TriggerEngineDeps {
  readonly store: KeyStore;
  readonly schedules: ScheduleCache;
  readonly clock: Clock;
  readonly metrics: SchedulerMetrics;
  readonly logger: Logger;
}

/**
 * Every job's next trigger: it waits for its time, is handed out, and its result moves the job on, in the store before in
 * memory. It follows the store, so that a job is triggered whoever wrote it; a job that cannot be read is left alone.
 */
export class TriggerEngine implements PoolEvents {
  readonly #deps: TriggerEngineDeps;
  readonly #dispatch: (entry: JobEntry) => Dispatch;
  readonly #entries = new Map<string, JobEntry>();
  readonly #malformed = new Set<string>();
  readonly #stages: Stages;
  readonly #staging = new Staging();
  readonly #due: DueTimer;
  readonly #retries: StoreRetries;
  readonly #unwatch: () => void;
  #stopped = false;

  /** @param dispatch hands a trigger to whoever takes it */
  constructor(deps: TriggerEngineDeps, dispatch: (entry: JobEntry) => Dispatch) {
    this.#deps = deps;
    this.#dispatch = dispatch;
    this.#stages = new Stages(deps.clock);
    const underWay = (): UnderWay => ({ sent: this.#stages.size("sent"), storing: this.#stages.size("storing") });
    this.#due = new DueTimer(deps.clock, underWay, (entry) => this.#handOut(entry));
    this.#retries = new StoreRetries(deps.clock, STORE_RETRY_MS);
    this.#unwatch = deps.store.watch((changes) => this.#follow(changes));
  }

  /** Jobs that are known, malformed ones left out. */
  get size(): number {
    return this.#entries.size;
  }

  /** How long the oldest due trigger is in a stage, in milliseconds; 0 when none is. */
  waitMs(stage: HeldStage | "waiting"): number {
    return stage === "waiting" ? this.#due.waitMs : this.#stages.longestMs(stage);
  }

  /** Reads all jobs from the store; what was due while nobody ran is triggered at once. */
  async load(): Promise<void> {
    let range = prefixRange(JOBS);
    for (;;) {
      const page = await this.#deps.store.list(range, { limit: PAGE_KEYS });
      for (const kv of page) {
        await this.#put(kv);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_KEYS) {
        return;
      }
      range = rangeAfter(range, last.key);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#due.stop();
    this.#retries.stop();
    this.#unwatch();
  }

  async content(entry: JobEntry): Promise<JobContent | undefined> {
    const kv = await this.#deps.store.get(JOBS + entry.name);
    return kv?.modRevision === entry.revision ? readContent(entry.name, kv.value) : undefined;
  }

  finished(entry: JobEntry, result: TriggerResult, tookMs: number): void {
    const { metrics, logger } = this.#deps;
    if (logger.enabled("debug")) {
      logger.debug(`Triggered job ${entry.name} in ${formatGoDuration(tookMs)} (${result})`);
    }
    metrics.finished(typeOf(entry), result, tookMs);
    if (entry.stage === "gone" || this.#stopped) {
      return;
    }
    entry.unreadableSinceMs = undefined;
    switch (result) {
      case "SUCCESS":
        this.#advance(entry, afterSuccess(entry.plan.times, entry.progress));
        return;
      case "FAILED":
        this.#advance(entry, afterFailure(entry.plan.times, entry.plan.rule, entry.progress, entry.dueMs));
        return;
      case "UNDELIVERABLE":
        this.#enqueue(entry, entry.dueMs);
    }
  }

  unreadable(entry: JobEntry, error: unknown): void {
    this.#deps.logger.error(`job ${entry.name} could not be read, it is tried again: ${errorMessage(error)}`);
    this.#hold(entry, () => this.#enqueue(entry, entry.dueMs));
  }

  /** The store has another version of it, or none: what it says counts. */
  vanished(entry: JobEntry): void {
    if (entry.stage !== "gone") {
      this.#hold(entry, () => void this.#reload(entry));
    }
  }

  sent(entry: JobEntry): void {
    if (entry.stage !== "gone") {
      this.#stages.move(entry, "sent");
    }
  }

  reachable(targets: readonly JobTarget[]): void {
    for (const target of targets) {
      for (const entry of this.#staging.take(target)) {
        this.#enqueue(entry, entry.dueMs);
      }
    }
  }

  #follow(changes: readonly KeyChange[]): void {
    for (const change of changes) {
      const key = change.kind === "put" ? change.kv.key : change.key;
      if (!key.startsWith(JOBS)) {
        continue;
      }
      this.#remove(key.slice(JOBS.length));
      if (change.kind === "put") {
        void this.#put(change.kv);
      }
    }
  }

  /** Never throws: a job that cannot be read must not stop the others. */
  async #put({ key, value, modRevision }: KeyValue): Promise<void> {
    const { schedules, store, logger, metrics } = this.#deps;
    const name = key.slice(JOBS.length);
    try {
      const plan = readPlan(name, value, schedules);
      const entry = new JobEntry(name, modRevision, plan, readProgress(undefined, plan.partitionId), 0);
      this.#entries.set(name, entry);
      const counter = await store.get(COUNTERS + name);
      if (entry.stage === "gone") {
        return;
      }
      entry.progress = readProgress(counter?.value, plan.partitionId);
      const dueMs = nextDue(plan.times, entry.progress);
      if (dueMs === undefined) {
        this.#advance(entry, { progress: entry.progress, dueMs });
      } else {
        this.#enqueue(entry, dueMs);
      }
    } catch (error) {
      this.#entries.delete(name);
      this.#malformed.add(name);
      metrics.malformed(this.#malformed.size);
      logger.error(`Job ${name} cannot be read and is left alone: ${errorMessage(error)}`);
    }
  }

  #remove(name: string): void {
    if (this.#malformed.delete(name)) {
      this.#deps.metrics.malformed(this.#malformed.size);
    }
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      return;
    }
    this.#entries.delete(name);
    this.#due.remove(entry);
    this.#retries.forget(entry);
    this.#staging.remove(entry);
    this.#stages.move(entry, "gone");
  }

  #enqueue(entry: JobEntry, dueMs: number): void {
    entry.dueMs = dueMs;
    this.#stages.move(entry, "waiting");
    this.#due.add(entry);
  }

  #handOut(entry: JobEntry): void {
    const { logger, metrics } = this.#deps;
    if (logger.enabled("debug")) {
      logger.debug(`Triggering job: ${entry.name}`);
    }
    // Before it is handed out: an answer may come at once.
    this.#stages.move(entry, "sent");
    const dispatch = this.#dispatch(entry);
    switch (dispatch) {
      case "sent":
        return;
      case "gated":
        this.#stages.move(entry, "gated");
        return;
      case "overflow":
        this.finished(entry, "FAILED", 0);
        return;
      case "nobody":
        metrics.finished(typeOf(entry), "UNDELIVERABLE", 0);
        this.#stage(entry);
        return;
      case "full":
        this.#stage(entry);
    }
  }

  #stage(entry: JobEntry): void {
    this.#staging.add(entry);
    this.#stages.move(entry, "staged");
  }

  /** Stores what has become of a trigger, and goes on from there once it is on disk. */
  #advance(entry: JobEntry, next: NextTrigger): void {
    this.#stages.move(entry, "storing");
    this.#store(entry, next).then(
      (stored) => {
        this.#due.settled();
        if (entry.stage !== "storing") {
          return;
        }
        if (!stored) {
          void this.#reload(entry);
          return;
        }
        entry.progress = next.progress;
        if (next.dueMs !== undefined) {
          this.#enqueue(entry, next.dueMs);
        }
      },
      (error: unknown) => {
        this.#deps.logger.error(
          `the progress of job ${entry.name} could not be stored, it is tried again: ${errorMessage(error)}`,
        );
        if (entry.stage === "storing") {
          this.#retries.add(entry, () => this.#advance(entry, next));
        }
      },
    );
  }

  /** @returns false when the store has another version of the job, or none */
  async #store({ name, revision, plan }: JobEntry, { progress, dueMs }: NextTrigger): Promise<boolean> {
    const counter = COUNTERS + name;
    const conditions = [{ key: JOBS + name, modRevision: revision }];
    const { succeeded } =
      dueMs === undefined
        ? await this.#deps.store.commit({
            conditions,
            apply: [
              { kind: "delete", key: counter },
              { kind: "delete", key: JOBS + name },
            ],
            otherwise: [{ kind: "delete", key: counter }],
            essential: true,
          })
        : await this.#deps.store.commit({
            conditions,
            apply: [{ kind: "put", key: counter, value: storedProgress(progress, plan.partitionId) }],
            essential: true,
          });
    return succeeded;
  }

  #hold(entry: JobEntry, again: () => void): void {
    if (entry.stage !== "gone" && !this.#stopped) {
      this.#stages.move(entry, "storing");
      entry.unreadableSinceMs ??= entry.sinceMs;
      entry.sinceMs = entry.unreadableSinceMs;
      this.#retries.add(entry, again);
    }
  }

  async #reload(entry: JobEntry): Promise<void> {
    try {
      const kv = await this.#deps.store.get(JOBS + entry.name);
      if (entry.stage === "gone" || this.#stopped) {
        return;
      }
      this.#remove(entry.name);
      if (kv !== undefined) {
        await this.#put(kv);
      }
    } catch (error) {
      this.unreadable(entry, error);
    }
  }
}

function typeOf({ plan }: JobEntry): "job" | "actor" {
  return plan.actorType === undefined ? "job" : "actor";
}
